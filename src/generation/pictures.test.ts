/** From what a provider answered to pictures that are kept: what is paid for survives what goes wrong around it. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeImage } from '../media/encode-image.ts'
import { inspectImage } from '../media/inspect-image.ts'
import { rasterise } from '../media/rasterise.ts'
import type { Delivery } from '../models/map-fields.ts'
import { createGuardedFetch } from '../net/guarded-fetch.ts'
import { createDiskStore } from '../objects/disk.ts'
import type { ProviderCompleted, ProviderImage } from '../providers/provider.ts'
import type { Dispatched } from '../providers/provider-error.ts'
import { ProviderError } from '../providers/provider-error.ts'
import { collectPictures } from './collect-pictures.ts'
import { prepareResult } from './prepare-result.ts'
import { storePictures } from './store-pictures.ts'
import { sampleNote } from './testing/sample-note.ts'

let png: Buffer
let jpeg: Buffer
let folder: string
const guardedFetch = createGuardedFetch({ allowPrivate: [] })
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gesso-pictures-'))
  png = await rasterise(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 48"><circle cx="30" cy="20" r="19" fill="red"/></svg>',
    { width: 64, height: 48 },
  )
  jpeg = await encodeImage(png, { format: 'jpeg', quality: 95 })
})
afterAll(async () => {
  await guardedFetch[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const noteFor = (delivery: Partial<Delivery> = {}, n = 1) =>
  sampleNote({
    asked: { n },
    delivery: { compressesItself: true, scales: false, watermark: false, ...delivery },
  })

const image = (bytes: Buffer, rest: Partial<ProviderImage> = {}): ProviderImage => ({
  source: { kind: 'bytes', bytes },
  ...rest,
})

function collect(
  made: Partial<ProviderCompleted>,
  delivery?: Partial<Delivery>,
  signal = AbortSignal.timeout(5_000),
) {
  const dependencies = { guardedFetch, maxImageBytes: 1_000_000 }
  const completed: ProviderCompleted = { status: 'completed', images: [], ...made }
  return collectPictures(dependencies, completed, noteFor(delivery), signal)
}

const failure = (
  dispatched: Dispatched,
  code: 'rate_limit_exceeded' | 'upstream_failed' | 'outcome_unknown' = 'upstream_failed',
) => ({
  error: new ProviderError({ code, attribution: 'upstream', message: `failed ${dispatched}`, dispatched }),
})

describe('collecting', () => {
  test.each([1.5, -1, Number.NaN, 1e20, Number.POSITIVE_INFINITY])(
    'a seed of %d beside a picture costs the seed, not the picture',
    async (seed) => {
      const { pictures } = await collect({ images: [image(png, { seed })] })
      expect(pictures[0]?.seed).toBeUndefined()
      expect(pictures[0]?.bytes.equals(png)).toBe(true)
    },
  )

  test('a revised prompt is kept as far as it can be stored', async () => {
    const { pictures } = await collect({
      images: [image(png, { revisedPrompt: 'a\0b\ud800c' }), image(png, { revisedPrompt: '' })],
    })
    expect(pictures.map((one) => one.revisedPrompt)).toEqual(['ab\ufffdc', undefined])
  })

  test('compression that the provider was not asked for is done here, also where the format is right', async () => {
    const lower = await collect({ images: [image(jpeg)] }, { format: 'jpeg', compression: 5 })
    expect(lower.pictures[0]?.bytes.length).toBeLessThan(jpeg.length)
    const asked = await collect(
      { images: [image(jpeg)] },
      { format: 'jpeg', compression: 5, compressesItself: false },
    )
    expect(asked.pictures[0]?.bytes.equals(jpeg)).toBe(true)
  })

  test('a picture that cannot be converted is delivered as it is, and the answer says so', async () => {
    // A good header, a broken body: it can be kept, and not be decoded.
    const broken = Buffer.from(png)
    const data = broken.indexOf('IDAT') + 30
    broken.fill(0x55, data, data + 60)
    const { pictures, notes } = await collect({ images: [image(broken)] }, { format: 'webp' })
    expect(pictures[0]?.info.format).toBe('png')
    expect(notes).toMatchObject([{ param: 'output_format', code: 'not_converted' }])
  })

  test('a stop costs the conversion of pictures that are here, not the pictures', async () => {
    const stopped = AbortSignal.abort(new Error('no more time'))
    const { pictures, notes, missing } = await collect(
      { images: [image(png), image(jpeg)] },
      { format: 'webp' },
      stopped,
    )
    expect(pictures.map(({ bytes, info }) => [info.format, bytes.length])).toEqual([
      ['png', png.length],
      ['jpeg', jpeg.length],
    ])
    expect(notes.map((note) => note.code)).toEqual(['not_converted', 'not_converted'])
    expect(missing).toEqual([])
  })

  test('bytes behind the picture’s end are not kept', async () => {
    const { pictures } = await collect({
      images: [image(Buffer.concat([png, Buffer.from('<script>alert(1)</script>')]))],
    })
    expect(pictures[0]?.bytes.equals(png)).toBe(true)
  })

  test('one of two failing is a warning, both failing is the error', async () => {
    const { pictures, missing } = await collect({ images: [image(png), image(Buffer.from('<html>'))] })
    expect(pictures).toHaveLength(1)
    expect(missing).toMatchObject([{ param: 'n', code: 'upstream_invalid_response' }])
    await expect(collect({ images: [image(Buffer.from('<html>'))] })).rejects.toMatchObject({
      code: 'upstream_invalid_response',
    })
  })

  test('where several failed, work that was begun speaks before work that was not', async () => {
    const failures = [failure('no', 'rate_limit_exceeded'), failure('yes'), failure('unknown')]
    await expect(collect({ failures })).rejects.toMatchObject({ dispatched: 'yes' })
    await expect(collect({ failures: failures.slice(0, 1) })).rejects.toMatchObject({ dispatched: 'no' })
    // One call that may have made its picture is enough for the request not to be sent again.
    failures.push(failure('unknown', 'outcome_unknown'))
    await expect(collect({ failures })).rejects.toMatchObject({ code: 'outcome_unknown' })
  })

  test('an answer without anything is an error that may not be repeated', async () => {
    await expect(collect({})).rejects.toMatchObject({ code: 'upstream_invalid_response', retryable: false })
  })

  test('a result link to this machine is not followed', async () => {
    const source = { kind: 'url', url: 'http://127.0.0.1:1/x.png', trusted: false } as const
    await expect(collect({ images: [{ source }] })).rejects.toMatchObject({
      code: 'upstream_invalid_response',
      dispatched: 'yes',
    })
  })
})

describe('storing', () => {
  async function pictures(count: number) {
    const info = await inspectImage(png)
    return Array.from({ length: count }, () => ({ bytes: png, info, drawn: info, place: 0 }))
  }

  test('pictures are kept under their own names with their digest', async () => {
    const objects = createDiskStore({ directory: join(folder, 'good') })
    const { stored, warnings } = await storePictures({ objects }, await pictures(3))
    expect(stored.map((one) => one.position)).toEqual([0, 1, 2])
    expect(warnings).toEqual([])
    for (const one of stored) expect((await objects.stat(one.objectKey))?.sizeBytes).toBe(png.length)
  })

  test('those that can be kept are delivered, the others are warnings; none kept is the error', async () => {
    const directory = join(folder, 'half')
    await mkdir(join(directory, 'images'), { recursive: true })
    // Files stand where half of the folders would be.
    const hex = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, '0'))
    for (const name of hex.slice(0, 128)) writeFileSync(join(directory, 'images', name), '')
    const objects = createDiskStore({ directory })
    const { stored, warnings } = await storePictures({ objects }, await pictures(40))
    expect(stored.length + warnings.length).toBe(40)
    expect(stored.length).toBeGreaterThan(0)
    expect(warnings.length).toBeGreaterThan(0)
    expect(stored.map((one) => one.position)).toEqual(stored.map((_, position) => position))
    for (const name of hex.slice(128)) {
      rmSync(join(directory, 'images', name), { recursive: true, force: true })
      writeFileSync(join(directory, 'images', name), '')
    }
    await expect(storePictures({ objects }, await pictures(3))).rejects.toThrow()
    expect(readdirSync(join(directory, 'images'))).toHaveLength(256)
  })
})

describe('the result', () => {
  async function result(
    made: Partial<ProviderCompleted>,
    asked: { n: number; size?: { width: number; height: number } },
  ) {
    const { n, size } = asked
    const objects = createDiskStore({ directory: join(folder, 'result') })
    const { pictures, notes, missing } = await collect({ images: [image(png)], ...made }, { size })
    const { stored } = await storePictures({ objects }, pictures)
    const completed: ProviderCompleted = { status: 'completed', images: [], ...made }
    return prepareResult({
      made: completed,
      note: noteFor({}, n),
      stored,
      cost: { micros: 0, currency: 'USD', source: 'unmetered' },
      notes,
      missing,
    })
  }

  test('another size than asked is scaled to it, and said', async () => {
    expect((await result({}, { n: 1, size: { width: 64, height: 48 } })).warnings).toEqual([])
    const scaled = await result({}, { n: 1, size: { width: 128, height: 128 } })
    expect(scaled.size).toBe('128x128')
    expect(scaled.warnings).toMatchObject([
      { param: 'size', code: 'resized', message: expect.stringContaining('64x48 instead of 128x128') },
    ])
  })

  test('fewer pictures than asked are said, each once', async () => {
    expect((await result({}, { n: 3 })).warnings).toMatchObject([
      { code: 'fewer_images', message: expect.stringContaining('2 pictures fewer') },
    ])
    expect(
      (await result({ failures: [failure('yes'), failure('yes')] }, { n: 3 })).warnings.map(
        (one) => one.code,
      ),
    ).toEqual(['upstream_failed', 'upstream_failed'])
  })

  test('usage and words that cannot be true or stored are left out', async () => {
    const strange = await result(
      {
        usage: {
          inputTokens: -1,
          outputTokens: Number.NaN,
          totalTokens: 1e308,
          inputTokensDetails: { textTokens: 7.5, imageTokens: 3 },
        },
        effective: { quality: 'hi\0gh', background: '' },
      },
      { n: 1 },
    )
    expect(JSON.parse(JSON.stringify(strange.usage))).toEqual({
      generated_images: 1,
      input_tokens_details: { image_tokens: 3 },
    })
    expect(strange.quality).toBe('high')
    expect(strange.background).toBeUndefined()
  })
})
