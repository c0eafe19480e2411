import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createBodyBudget } from './body-budget.ts'
import { readMultipartBody } from './multipart-body.ts'
import { contentType, form, inFile, line, named, read, spool } from './testing/forms.ts'
import { RequestUploads } from './uploads.ts'

/** Bytes that look like the boundary as long as possible, again and again. */
const lookalike = Buffer.from(`\r\n${line.slice(0, -1)}\r\n--${line}\r\r\n${line.slice(0, 5)}\r\n\r\n`)
const picture = Buffer.concat([randomBytes(3_000), lookalike, randomBytes(3_000), Buffer.from('\r\n')])

describe('is refused in words, and nothing is left of it:', () => {
  const nul = Buffer.from('a\0b')
  test.each<[string, Buffer, RegExp, (string | null)?]>([
    ['nothing', Buffer.alloc(0), /form has no parts/],
    ['no parts', Buffer.from(`${line}--\r\n`), /form has no parts/],
    ['JSON', Buffer.from('{"prompt":"a"}'), /form has no parts/],
    ['another boundary', form([named('a'), 'b']).fill('y', 20, 28), /form has no parts/],
    [
      'line ends without CR',
      Buffer.from(
        form([named('a'), 'b'])
          .toString()
          .replaceAll('\r', ''),
      ),
      /no empty line|no parts|ends early/,
    ],
    ['no end', form([named('image', inFile), picture]).subarray(0, -8), /form ends early/],
    ['a part that is cut', form([named('image', inFile), picture]).subarray(0, 3_000), /form ends early/],
    ['a part without headers', form(['', 'b']), /no header Content-Disposition/],
    [
      'a part of another kind',
      form(['Content-Disposition: attachment; name="a"', 'b']),
      /no header Content-Disposition/,
    ],
    ['headers without an end', Buffer.from(`${line}\r\n${named('a')}\r\n${line}--\r\n`), /no empty line/],
    ['no name', form(['Content-Disposition: form-data', 'b']), /has no name/],
    ['an empty name', form([named(''), 'b']), /has no name/],
    ['two names', form([named('a', '; name="b"'), 'b']), /has no name, or one/],
    ['a name without end', form(['Content-Disposition: form-data; name="a', 'b']), /has no name, or one/],
    ['a name that is no UTF-8', form([named('a'), 'b']).fill(0xff, 66, 67), /has no name, or one/],
    ['a name with a tab', form([named('a\tb'), 'b']), /control characters in its name/],
    ['a name without bounds', form([named('a'.repeat(201)), 'b']), /name of more than 200 characters/],
    ['two dispositions', form([`${named('a')}\r\n${named('b')}`, 'c']), /content-disposition more than once/],
    [
      'many headers',
      form([`${named('a')}${'\r\nx: y'.repeat(50_000)}`, 'b']),
      /headers of more than 8192 bytes|no header/,
    ],
    [
      'a long header',
      form([`${named('a')}\r\nx: ${'y'.repeat(9_000)}`, 'b']),
      /headers of more than 8192 bytes/,
    ],
    [
      'a header without end',
      form([`${named('a')}\r\nx: ${'y'.repeat(500_000)}`, 'b']),
      /headers of more than 8192 bytes/,
    ],
    [
      'a foreign encoding',
      form([`${named('a')}\r\nContent-Transfer-Encoding: base64`, 'YQ==']),
      /Content-Transfer-Encoding/,
      'a',
    ],
    [
      'a foreign charset',
      form([`${named('a')}\r\nContent-Type: text/plain; charset=latin1`, 'b']),
      /another charset than UTF-8/,
      'a',
    ],
    ['NUL', form([named('prompt'), nul]), /^prompt holds a NUL/, 'prompt'],
    [
      'bytes that are no UTF-8',
      form([named('prompt'), Buffer.from([0x61, 0xff])]),
      /^prompt is not valid UTF-8/,
      'prompt',
    ],
    [
      'half a surrogate pair',
      form([named('prompt'), Buffer.from([0xed, 0xa0, 0x80])]),
      /^prompt is not valid UTF-8/,
      'prompt',
    ],
    [
      'a text of more than a mebibyte',
      form([named('prompt'), 'a'.repeat(1_048_577)]),
      /^prompt is text of more than 1 MiB \(1048576 bytes\)/,
      'prompt',
    ],
    [
      'much text',
      form(...Array(5).fill([named('a'), 'a'.repeat(1_000_000)])),
      /more than 4 MiB \(4194304 bytes\) of text/,
    ],
    ['1,001 parts', form(...Array(1_001).fill([named('a'), 'b'])), /more than 1000 parts/],
    [
      '18 files',
      form(...Array(18).fill([named('image[]', inFile), picture])),
      /at most 16 images and one mask/,
      'image[]',
    ],
  ])('%s', async (_name, body, message, param = null) => {
    for (const chunkBytes of [97, 65_536]) {
      const error = await read(body, { chunkBytes }).catch((thrown) => thrown)
      expect(error).toMatchObject({ code: 'invalid_image_request', attribution: 'client', param })
      expect(error.message).toMatch(message)
    }
  })

  test('an image above the limit, by its name', async () => {
    const body = form([named('image[]', inFile), picture], [named('mask', inFile), Buffer.alloc(1_048_577)])
    await expect(read(body, { maxImageBytes: 1_048_576 })).rejects.toMatchObject({
      code: 'request_too_large',
      param: 'mask',
      message: 'mask is larger than the 1 MiB (1048576 bytes) that one image may have.',
    })
    expect((await read(body, { maxImageBytes: 1_048_577 })).files).toHaveLength(2)
  })

  test.each([
    'multipart/form-data',
    'multipart/form-data; boundary=',
    'multipart/form-data; boundary=""',
    `multipart/form-data; boundary=${'x'.repeat(71)}`,
    'multipart/form-data; boundary=a"b',
  ])('the content type %s', async (type) => {
    await expect(read(form([named('a'), 'b']), { type })).rejects.toMatchObject({
      message: expect.stringContaining('no boundary'),
      param: 'Content-Type',
    })
  })

  test('a preamble that does not end, early', async () => {
    let asked = 0
    const endless = async function* () {
      for (; asked < 1_000; asked++) yield Buffer.alloc(65_536)
    }
    const uploads = new RequestUploads(spool)
    using share = createBodyBudget(1_000).open()
    await expect(
      readMultipartBody(endless(), { contentType, spool, maxImageBytes: 1, maxImages: 1, uploads, share }),
    ).rejects.toThrow('has no parts')
    expect(asked).toBeLessThan(5)
  })
})
