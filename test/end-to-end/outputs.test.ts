/** What leaves the house: the form, the format, the size and the label that were asked for, and where it comes from. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { load } from 'exifreader'
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { fakePicture } from '../upstreams/fake-picture.ts'
import { type FakeUpstream, startFakeOpenAi } from '../upstreams/openai.ts'
import { type Answer, type DrawingWorld, type Json, openDrawingWorld, picturesOf } from './drawing-world.ts'

let upstream: FakeUpstream
let files: Awaited<ReturnType<typeof startFiles>>
let world: DrawingWorld
let png: Buffer
beforeAll(async () => {
  upstream = await startFakeOpenAi({ dialect: 'openai-compatible', noisy: true })
  png = await fakePicture({ width: 96, height: 64, format: 'png', index: 1, noisy: true })
  files = await startFiles(png)
  world = await openDrawingWorld(
    `
models:
  - { id: own, provider: openai }
  - { id: own-label, provider: openai, supports: [watermark, background] }
`,
    { OPENAI_BASE_URL: upstream.url },
  )
})
afterEach(() => upstream.play('ok'))
afterAll(async () => {
  await world[Symbol.asyncDispose]()
  await files.close()
  await upstream.close()
})

const ask = { model: 'own', prompt: 'a very secret unicorn' }
const inHand = { ...ask, response_format: 'b64_json' }

/** The upstream answers with this one picture. */
const give = (bytes: Buffer) =>
  upstream.play({ status: 200, body: { created: 1, data: [{ b64_json: bytes.toString('base64') }] } })

async function onlyPicture(body: object): Promise<{ bytes: Buffer; json: Json }> {
  const answer = await world.draw(body)
  const [bytes] = picturesOf(answer)
  if (!bytes) throw new Error(answer.text)
  return { bytes, json: answer.json }
}

const pixels = (bytes: Buffer) => sharp(bytes).raw().toBuffer()

describe('the caller gets the form that was asked for, whatever the upstream sent', () => {
  const forms: [string, (b64: string, url: string) => object][] = [
    ['b64_json only', (b64_json) => ({ b64_json })],
    ['url only', (_, url) => ({ url })],
    ['both', (b64_json, url) => ({ b64_json, url })],
    ['an empty b64_json beside a url', (_, url) => ({ b64_json: '', url, revised_prompt: '' })],
    ['an empty url beside b64_json', (b64_json) => ({ b64_json, url: '', revised_prompt: '' })],
    ['null beside b64_json', (b64_json) => ({ b64_json, url: null, revised_prompt: null, seed: null })],
    ['null beside a url', (_, url) => ({ b64_json: null, url })],
    ['a data URI as url', (b64_json) => ({ url: `data:image/png;base64,${b64_json}`, b64_json: '' })],
  ]

  describe.each(forms)('%s', (_, form) => {
    const play = () =>
      upstream.play({
        status: 200,
        body: {
          created: 1,
          data: [form(png.toString('base64'), files.url)],
          size: '',
          quality: '',
          background: '',
        },
      })
    const noEmptyText = ({ text }: Answer) => expect(text).not.toContain('""')

    test('as b64_json', async () => {
      await play()
      const answer = await world.draw(inHand)
      expect(answer.status, answer.text).toBe(200)
      expect(Object.keys(answer.json.data[0]).sort()).toEqual(['b64_json', 'image_id'])
      expect(await pixels(picturesOf(answer)[0] as Buffer)).toEqual(await pixels(png))
      noEmptyText(answer)
    })

    test('as url, on this server', async () => {
      await play()
      const answer = await world.draw({ ...ask, response_format: 'url' })
      expect(answer.status, answer.text).toBe(200)
      expect(Object.keys(answer.json.data[0]).sort()).toEqual(['image_id', 'url', 'url_expires_at'])
      expect(answer.json.data[0].url).toContain(`${world.url}/i/`)
      const hosted = await fetch(answer.json.data[0].url)
      expect(await pixels(Buffer.from(await hosted.arrayBuffer()))).toEqual(await pixels(png))
      noEmptyText(answer)
    })
  })
})

describe('formats', () => {
  const formats = ['png', 'jpeg', 'webp', 'avif'] as const

  test.each(formats)('%s is what arrives, of the size that was drawn', async (format) => {
    await give(png)
    const { bytes, json } = await onlyPicture({ ...inHand, output_format: format })
    expect([json.output_format, json.size, json.warnings]).toEqual([format, '96x64', undefined])
    const { format: found, width, height } = await sharp(bytes).metadata()
    expect([found, width, height]).toEqual([format === 'avif' ? 'heif' : format, 96, 64])
  })

  test.each(['jpeg', 'webp', 'avif'] as const)('%s: less compression value, fewer bytes', async (format) => {
    await give(png)
    const size = async (compression: number, name = 'output_compression') =>
      (await onlyPicture({ ...inHand, output_format: format, [name]: compression })).bytes.length
    const [least, middle, most] = [await size(0), await size(50), await size(100)]
    expect(least).toBeLessThan(middle)
    expect(middle).toBeLessThan(most)
    expect(await size(50, 'output_quality')).toBe(middle)
  })

  test('a PNG has no compression value', async () => {
    const { status, json } = await world.draw({ ...inHand, output_format: 'png', output_compression: 50 })
    expect([status, json.error.param]).toEqual([400, 'output_compression'])
  })

  test('a transparent picture stays transparent where the format can, and a jpeg is white there', async () => {
    const clear = await sharp({
      create: { width: 32, height: 32, channels: 4, background: { r: 255, g: 0, b: 0, alpha: 0 } },
    })
      .png()
      .toBuffer()
    await give(clear)
    for (const format of ['png', 'webp', 'avif'] as const) {
      const { bytes } = await onlyPicture({ ...inHand, output_format: format })
      expect((await sharp(bytes).ensureAlpha().raw().toBuffer()).at(3), format).toBe(0)
    }
    const { bytes } = await onlyPicture({ ...inHand, output_format: 'jpeg' })
    expect([...(await pixels(bytes)).subarray(0, 3)]).toEqual([255, 255, 255])
  })

  test('an opaque picture where a transparent one was asked is said', async () => {
    await give(png)
    const { json } = await onlyPicture({ ...inHand, model: 'own-label', background: 'transparent' })
    expect(json.warnings).toMatchObject([{ param: 'background', code: 'not_transparent' }])
  })
})

describe('the size is exactly what was asked', () => {
  test.each([
    ['96x64', undefined],
    ['128x128', 'resized'],
    ['64x200', 'resized'],
  ])('%s of a picture of 96x64', async (size, code) => {
    await give(png)
    const { bytes, json } = await onlyPicture({ ...inHand, size })
    const { width, height } = await sharp(bytes).metadata()
    expect([`${width}x${height}`, json.size]).toEqual([size, size])
    expect(json.warnings?.[0].code).toBe(code)
    if (code) expect(json.warnings[0].message).toContain(`96x64 instead of ${size}`)
  })

  test('an absurd size under lenient is ignored, and nothing grows', async () => {
    await give(png)
    for (const size of ['99999x99999', '99999x1']) {
      const { json } = await world.draw({ ...inHand, size }, { headers: { prefer: 'handling=lenient' } })
      expect(json.size).toBe('96x64')
      expect(json.warnings).toMatchObject([{ param: 'size', code: 'unsupported_parameter' }])
    }
  })
})

describe('the visible label', () => {
  /** Where two pictures of one size differ, as shares of their edges. */
  async function difference(one: Buffer, other: Buffer) {
    const [a, b] = [
      await sharp(one).removeAlpha().raw().toBuffer(),
      await sharp(other).removeAlpha().raw().toBuffer(),
    ]
    const { width = 0, height = 0 } = await sharp(one).metadata()
    expect(b.length).toBe(a.length)
    const spots = Array.from({ length: width * height }, (_, spot) => spot).filter(
      (spot) => !a.subarray(spot * 3, spot * 3 + 3).equals(b.subarray(spot * 3, spot * 3 + 3)),
    )
    const xs = spots.map((spot) => (spot % width) / width)
    const ys = spots.map((spot) => Math.floor(spot / width) / height)
    return { spots: spots.length, left: Math.min(...xs), top: Math.min(...ys) }
  }

  test('is drawn into the lower right of a model that has none, and nowhere else', async () => {
    const large = await fakePicture({ width: 400, height: 300, format: 'png', index: 2 })
    await give(large)
    const plain = await onlyPicture(inHand)
    const labelled = await onlyPicture({ ...inHand, watermark: true })
    const { spots, left, top } = await difference(plain.bytes, labelled.bytes)
    expect(spots).toBeGreaterThan(100)
    expect(left).toBeGreaterThan(0.5)
    expect(top).toBeGreaterThan(0.8)
    expect(upstream.requests.at(-1)?.body).not.toHaveProperty('watermark')
  })

  test('is the provider’s where it has one: passed on, and not drawn again', async () => {
    await give(png)
    const { bytes } = await onlyPicture({ ...inHand, model: 'own-label', watermark: true })
    expect(await pixels(bytes)).toEqual(await pixels(png))
    expect(upstream.requests.at(-1)?.body).toMatchObject({ watermark: true })
  })

  test('gesso-collage gets it too', async () => {
    const body = { ...inHand, model: 'gesso-collage', size: '256x256', seed: 1 }
    const plain = await onlyPicture(body)
    const labelled = await onlyPicture({ ...body, watermark: true })
    expect((await difference(plain.bytes, labelled.bytes)).left).toBeGreaterThan(0.3)
  })
})

describe('a picture that needs no conversion is not touched', () => {
  test('the pixel data of a PNG are the upstream’s own bytes, and its metadata are gone', async () => {
    const tagged = await sharp(png)
      .withExif({ IFD0: { Copyright: 'somebody', ImageDescription: 'a very secret unicorn' } })
      .png()
      .toBuffer()
    await give(tagged)
    for (const body of [inHand, { ...inHand, output_format: 'png' }, { ...inHand, size: '96x64' }]) {
      const { bytes } = await onlyPicture(body)
      expect(imageData(bytes).equals(imageData(tagged))).toBe(true)
      expect(bytes.includes('somebody')).toBe(false)
      expect(bytes.includes('unicorn')).toBe(false)
    }
  })

  test.each(['jpeg', 'webp', 'avif'] as const)('%s keeps every pixel', async (format) => {
    const bytes = await sharp(png).toFormat(format, { quality: 60 }).toBuffer()
    await give(bytes)
    const delivered = await onlyPicture({ ...inHand, output_format: format })
    expect(delivered.json.output_format).toBe(format)
    expect(await pixels(delivered.bytes)).toEqual(await pixels(bytes))
    // Without a wish the format is what the model returned.
    expect((await onlyPicture(inHand)).json.output_format).toBe(format)
  })
})

/** All IDAT chunks of a PNG. */
function imageData(bytes: Buffer): Buffer {
  const chunks: Buffer[] = []
  for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    if (bytes.toString('latin1', at + 4, at + 8) !== 'IDAT') continue
    chunks.push(bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at)))
  }
  return Buffer.concat(chunks)
}

describe('every file says where it comes from', () => {
  type Tags = Record<string, { value: unknown } | undefined>
  const read = (bytes: Buffer) => load(bytes) as unknown as Tags

  test.each(
    ['own', 'gesso-collage'].flatMap((model) =>
      ['png', 'jpeg', 'webp', 'avif'].map((format) => [model, format] as const),
    ),
  )('%s as %s: source type, model and task, and no word of the prompt', async (model, format) => {
    await give(png)
    const body = { ...inHand, model, output_format: format, ...(model === 'own' ? {} : { size: '96x64' }) }
    const { bytes, json } = await onlyPicture(body)
    const tags = read(bytes)
    const type = model === 'own' ? 'trainedAlgorithmicMedia' : 'algorithmicMedia'
    expect(tags.DigitalSourceType?.value).toBe(`http://cv.iptc.org/newscodes/digitalsourcetype/${type}`)
    expect(tags.AISystemUsed?.value).toBe(model)
    expect(tags.identifier?.value).toBe(json.id)
    expect(tags.AIPromptInformation).toBeUndefined()
    expect(bytes.includes('unicorn')).toBe(false)
  })

  test('what the upstream drew keeps its tags where nothing is converted, in every format', async () => {
    for (const format of ['jpeg', 'webp', 'avif'] as const) {
      await give(await sharp(png).toFormat(format).toBuffer())
      const { bytes, json } = await onlyPicture(inHand)
      expect(read(bytes).identifier?.value, format).toBe(json.id)
    }
  })

  test('the prompt only where the key says so, word for word', async () => {
    await give(png)
    const key = await world.createKey({ promptInMetadata: true })
    const prompt = 'a <unicorn> & "friends" 🦄'
    for (const output_format of ['png', 'jpeg', 'webp', 'avif']) {
      const answer = await world.draw(
        { ...inHand, prompt, output_format },
        { headers: { authorization: `Bearer ${key}` } },
      )
      const [bytes] = picturesOf(answer)
      expect(bytes && read(bytes).AIPromptInformation?.value, output_format).toBe(prompt)
    }
  })

  test('the hosted file is the same file', async () => {
    await give(png)
    const { bytes, json } = await onlyPicture(inHand)
    const image = (await (await world.call(`/v1/images/${json.data[0].image_id}`)).json()) as Json
    expect(Buffer.from(await (await fetch(image.url)).arrayBuffer()).equals(bytes)).toBe(true)
  })
})

/** A host for one picture, as object stores are. */
async function startFiles(bytes: Buffer) {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'image/png' }).end(bytes)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/picture.png`,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
