import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { GessoError } from '../lib/errors.ts'
import { maxMultipartBytes } from './multipart-body.ts'
import { form, inFile, line, named, read } from './testing/forms.ts'

/** Bytes that look like the boundary as long as possible, again and again. */
const lookalike = Buffer.from(`\r\n${line.slice(0, -1)}\r\n--${line}\r\r\n${line.slice(0, 5)}\r\n\r\n`)
const picture = Buffer.concat([randomBytes(3_000), lookalike, randomBytes(3_000), Buffer.from('\r\n')])

describe('a form', () => {
  const body = form(
    [named('prompt'), 'ein Füchslein 🦊\r\nzweite Zeile'],
    [named('image[]', inFile), picture],
    [named('empty'), ''],
    [named('image[]', inFile), Buffer.alloc(0)],
    [named('prompt'), 'again'],
    [
      `content-type:image/jpeg\r\nX-More: 1\r\ncontent-disposition:form-data;name=mask`,
      Buffer.from('\xff\xd8\xff\xe0\0', 'latin1'),
    ],
  )

  test.each([1, 2, 3, 5, 17, 64, 1_000, 65_536])(
    'comes through in chunks of %i bytes',
    async (chunkBytes) => {
      const file = { filename: 'fox.png', contentType: 'image/png' }
      expect((await read(body, { chunkBytes })).parts).toEqual([
        { name: 'prompt', text: 'ein Füchslein 🦊\r\nzweite Zeile' },
        { name: 'image[]', ...file, content: picture },
        { name: 'empty', text: '' },
        { name: 'image[]', ...file, content: Buffer.alloc(0) },
        { name: 'prompt', text: 'again' },
        { name: 'mask', contentType: 'image/jpeg', content: Buffer.from('\xff\xd8\xff\xe0\0', 'latin1') },
      ])
    },
  )

  test('comes through cut anywhere in two, and cut short anywhere it is refused', async () => {
    const small = form([named('a'), 'b'], [named('image', inFile), lookalike])
    const whole = await read(small)
    for (let at = 1; at < small.length; at++) {
      expect(await read(small, { chunkBytes: at })).toEqual(whole)
    }
    for (let at = 0; at < small.length - 4; at++) {
      await expect(read(small.subarray(0, at)), `cut at ${at}`).rejects.toMatchObject({
        code: 'invalid_image_request',
      })
    }
  })

  test('may have text before and after it', async () => {
    const body = Buffer.concat([
      Buffer.from('This is a multi-part message.\r\n'),
      form([named('a'), 'b']),
      Buffer.from(`and more\r\n${line}\r\nnothing`),
    ])
    for (const chunkBytes of [1, 10, 65_536]) {
      expect((await read(body, { chunkBytes })).fields).toEqual([['a', 'b']])
    }
  })

  test('that was made by this machine’s own FormData comes through', async () => {
    const sent = new FormData()
    sent.append('naïve "name"', 'ü')
    sent.append('image', new Blob([new Uint8Array(picture)], { type: 'image/webp' }), '狐.webp')
    const request = new Request('http://x', { method: 'POST', body: sent })
    const type = request.headers.get('content-type') ?? ''
    expect((await read(Buffer.from(await request.arrayBuffer()), { type })).parts).toEqual([
      { name: 'naïve %22name%22', text: 'ü' },
      { name: 'image', filename: '狐.webp', contentType: 'image/webp', content: picture },
    ])
  })

  test.each<[string, string, 'file' | 'text']>([
    ['a filename', named('x', '; filename="a"'), 'file'],
    ['an empty filename', named('x', '; filename=""'), 'file'],
    ['an encoded filename', named('x', "; filename*=UTF-8''%e2%82%ac.png"), 'file'],
    ['a content type', `${named('x')}\r\nContent-Type: application/octet-stream`, 'file'],
    ['the type of text', `${named('x')}\r\nContent-Type: text/plain; charset=UTF-8`, 'text'],
    ['nothing', named('x'), 'text'],
    ['the name of a picture and a filename', named('image', '; filename=""'), 'file'],
    ['the name of a picture and nothing more', named('image'), 'text'],
    ['a harmless encoding', `${named('x')}\r\nContent-Transfer-Encoding: BINARY`, 'text'],
  ])('a part with %s is what it is', async (_name, headers, kind) => {
    const { fields, files } = await read(form([headers, 'content']))
    expect([files.length, fields.length]).toEqual(kind === 'file' ? [1, 0] : [0, 1])
  })

  test('a filename is a hint of bounded length, whatever stands in it', async () => {
    const names = ['../../etc/passwd', 'C:\\fox.png', 'a\\"b', 'x'.repeat(1_000), '\xff']
    const { files } = await read(
      form(...names.map((name): [string, string] => [named('image', `; filename="${name}"`), ''])),
    )
    expect(files.map(({ filename }) => filename)).toEqual([
      '../../etc/passwd',
      'C:\\fox.png',
      'a"b',
      'x'.repeat(255),
      'ÿ',
    ])
  })
})

describe('a part that stands where a picture belongs, and does not say what it is', () => {
  const names = ['image', 'image[]', 'image[0]', 'images', 'images[12]', 'mask', 'mask[]']
  const large = randomBytes(30_000)
  const base64 = large.toString('base64')
  const pieceBytes = [97, 1_000, 16_384, 65_536]
  /** A difference of many bytes would take minutes to show. */
  const digest = (bytes: Buffer) => `${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`
  const digests = (parts: Awaited<ReturnType<typeof read>>['parts']) =>
    parts.map((part) => ('text' in part ? part : { ...part, content: digest(part.content) }))

  test.each(names)('is a file under the name %s where its bytes are one’s, however few', async (name) => {
    const files = [picture, Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.from('GIF89a:\0', 'latin1')]
    for (const content of files) {
      for (const chunkBytes of pieceBytes) {
        const { parts } = await read(form([named(name), content]), { chunkBytes })
        expect(digests(parts)).toEqual([{ name, content: digest(content) }])
      }
    }
  })

  test.each(names)('is a text under the name %s where it is short and readable', async (name) => {
    const texts = [
      '',
      'https://example.com/ü.png',
      `img_${'0'.repeat(24)}`,
      'data:text/html,<b>',
      'AAAA',
      '1\r\n2',
    ]
    for (const text of texts) {
      for (const more of ['', '\r\nContent-Type: text/plain', '\r\nContent-Type: image/png']) {
        const { parts } = await read(form([named(name, more), text]))
        expect(parts).toMatchObject([{ name, text }])
      }
    }
  })

  test.each<[string, string]>([
    ['base64', base64],
    ['base64url', large.toString('base64url')],
    ['base64 without padding', base64.replace(/=+$/, '')],
    ['lines of 76', `${base64.replace(/.{76}/g, '$&\r\n')}\r\n`],
    ['a data URI', `data:image/png;base64,${base64}`],
    ['a data URI in capitals with a parameter', `DATA:image/png;name=a.png;BASE64,${base64}`],
  ])('is a file where it is a long one in %s', async (_name, text) => {
    for (const chunkBytes of pieceBytes) {
      const { parts } = await read(form([named('prompt'), 'x'], [named('image'), text]), { chunkBytes })
      expect(digests(parts)).toEqual([
        { name: 'prompt', text: 'x' },
        { name: 'image', content: digest(large) },
      ])
    }
  })

  test('is never held as text: more of it comes through than a form may have of text', async () => {
    const content = randomBytes(4 * 1024 * 1024)
    const body = form([named('image'), `data:image/png;base64,${content.toString('base64')}`])
    const { files } = await read(body, { maxImageBytes: content.length })
    expect(files[0]?.content.equals(content)).toBe(true)
  })

  test('is not decoded under another name, or where it has a filename', async () => {
    const { parts } = await read(form([named('prompt'), base64], [named('image', '; filename="a"'), base64]))
    expect(digests(parts)).toEqual([
      { name: 'prompt', text: base64 },
      { name: 'image', filename: 'a', content: digest(Buffer.from(base64)) },
    ])
  })

  test('of the largest size and in lines, seventeen times, fits into a form', async () => {
    const maxImageBytes = 100_000
    const lines = randomBytes(maxImageBytes).toString('base64').replace(/.{64}/g, '$&\r\n')
    const body = form(...Array(17).fill([named('image'), lines]))
    expect(body.length).toBeLessThan(maxMultipartBytes({ maxImageBytes, maxImages: 16 }) - 8 * 1024 * 1024)
    const { files } = await read(body, { maxImageBytes })
    expect(files.map(({ content }) => content.length)).toEqual(Array(17).fill(maxImageBytes))
  })

  test.each<[string, string, RegExp, string | null]>([
    ['a foreign character', `${base64}!`, /^image begins as base64, but is not base64 to its end/, 'image'],
    ['a wide character', `${base64}Ł`, /^image begins as base64/, 'image'],
    ['padding in the middle', `${base64.slice(0, 20_000)}=${base64}`, /^image begins as base64/, 'image'],
    ['half a byte left over', 'A'.repeat(20_001), /^image begins as base64/, 'image'],
    ['a data URI that breaks off', `data:;base64,${base64}%`, /^image begins as base64/, 'image'],
    [
      'a mebibyte of an address',
      `https://a/${'%'.repeat(1_048_576)}`,
      /^image is text of more than 1/,
      'image',
    ],
    [
      'a mebibyte of no base64',
      `data:,${'%'.repeat(1_048_576)}`,
      /^image is text of more than 1 MiB/,
      'image',
    ],
  ])('is refused with %s', async (_name, text, message, param) => {
    for (const chunkBytes of [1_000, 65_536]) {
      const error = await read(form([named('image'), text]), { chunkBytes }).catch((thrown) => thrown)
      expect(error).toMatchObject({ code: 'invalid_image_request', param })
      expect(error.message).toMatch(message)
    }
  })

  test('is bounded by its decoded size, and counted as a picture', async () => {
    const body = form([named('image'), base64], [named('mask'), `data:image/png;base64,${base64}`])
    expect((await read(body, { maxImageBytes: 30_000 })).files).toHaveLength(2)
    await expect(read(body, { maxImageBytes: 29_999 })).rejects.toMatchObject({
      code: 'request_too_large',
      param: 'image',
    })
    const many = form(...Array(3).fill([named('image[]'), base64]))
    await expect(read(many, { maxImages: 1 })).rejects.toThrow(/at most 1 images and one mask/)
  })
})

test('whatever arrives, the reading comes to an end, in a form or in a refusal', async () => {
  const body = form([named('a'), 'b'], [named('image', inFile), lookalike], [named('c'), ''])
  const words = [
    line,
    '\r\n',
    '--',
    '\r\n\r\n',
    'Content-Disposition: form-data; name="z"',
    '\r',
    '\n',
    '-',
    '"',
    '\0',
  ]
  let seed = 7
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((seed / 2_147_483_648) * below)
  }
  for (let round = 0; round < 1_500; round++) {
    let mutant = body
    for (let n = random(4); n >= 0; n--) {
      const [from, to] = [random(mutant.length), random(mutant.length)].sort((a, b) => a - b)
      const middle = random(2) ? mutant.subarray(from, random(3) ? from : to) : Buffer.alloc(0)
      mutant = Buffer.concat([
        mutant.subarray(0, from),
        middle,
        Buffer.from(words[random(words.length)] ?? ''),
        mutant.subarray(random(3) ? (from ?? 0) : to),
      ])
    }
    const result = await read(mutant, { chunkBytes: 1 + random(80) }).catch((error) => error)
    if (result instanceof Error) expect(result).toBeInstanceOf(GessoError)
  }
})
