import { afterEach, describe, expect, it } from 'vitest'
import { fakeArkKey, startFakeArk } from '../../../test/upstreams/ark.ts'
import { createProviderHttp } from '../http.ts'
import type { InputImage, ProviderRequest } from '../provider.ts'
import { openSampleInputs } from '../testing/sample-inputs.ts'
import { ark } from './ark.ts'
import { closeOpened, connect, requestFor } from './testing/scripted-ark.ts'

afterEach(closeOpened)

const inputs = await openSampleInputs()
const png = inputs.picture('image/png')

/** The body of the one request that this becomes, at a server that takes it. */
async function sent(overrides: Partial<ProviderRequest>): Promise<unknown> {
  await using upstream = await startFakeArk({ otherSize: { width: 64, height: 64 } })
  const provider = connect(upstream.url, { apiKey: fakeArkKey })
  await provider.start(requestFor(overrides), AbortSignal.timeout(5_000))
  expect(upstream.requests).toHaveLength(1)
  expect(upstream.requests[0]).toMatchObject({
    method: 'POST',
    path: '/api/v3/images/generations',
    headers: { authorization: `Bearer ${fakeArkKey}`, 'content-type': 'application/json' },
  })
  return upstream.requests[0]?.body
}

/** What the request is refused with, before anything is sent. */
async function refusal(overrides: Partial<ProviderRequest>): Promise<unknown> {
  await using upstream = await startFakeArk()
  const provider = connect(upstream.url, { apiKey: fakeArkKey })
  const start = provider.start(requestFor(overrides), AbortSignal.timeout(5_000))
  const error = await start.then(
    () => new Error('it was taken'),
    (thrown: unknown) => thrown,
  )
  expect(upstream.requests).toEqual([])
  return error
}

describe('the body', () => {
  it('says what would cost money or leave a mark, even where nobody asks', async () => {
    expect(await sent({})).toEqual({
      model: 'doubao-seedream-4-0-250828',
      prompt: 'a heron at dawn',
      response_format: 'b64_json',
      watermark: false,
      sequential_image_generation: 'disabled',
    })
  })

  it('to Seedream 5.0 Pro never speaks of series, which it refuses by that word alone', async () => {
    expect(await sent({ model: 'seedream-5-0-pro-260628' })).toEqual({
      model: 'doubao-seedream-5-0-pro-260628',
      prompt: 'a heron at dawn',
      response_format: 'b64_json',
      watermark: false,
    })
  })

  it('says all it was given', async () => {
    const size = { width: 3_840, height: 2_160 }
    const wishes = { size, watermark: true, outputFormat: 'png' as const }
    expect(await sent({ model: 'seedream-5-0-260128', ...wishes })).toMatchObject({
      size: '3840x2160',
      watermark: true,
      output_format: 'png',
    })
  })

  it.each([
    ['seedream-4-0-250828', '1K'],
    ['seedream-4-5-251128', '4K'],
    ['seedream-5-0-260128', '2K'],
  ])('to %s has the class %s as its size', async (model, imageSize) => {
    expect(await sent({ model, imageSize })).toMatchObject({ size: imageSize })
  })

  it.each([
    [true, 'fast'],
    [false, 'standard'],
  ])('says a go_fast of %s as the mode %s', async (goFast, mode) => {
    for (const model of ['seedream-4-0-250828', 'seedream-5-0-pro-260628']) {
      expect(await sent({ model, goFast })).toMatchObject({ optimize_prompt_options: { mode } })
    }
  })

  it('of a series asks for addresses, and says how long it may be', async () => {
    expect(await sent({ series: { maxImages: 4 } })).toMatchObject({
      response_format: 'url',
      sequential_image_generation: 'auto',
      sequential_image_generation_options: { max_images: 4 },
    })
    expect(await sent({ series: {}, images: [png, png] })).toMatchObject({
      sequential_image_generation_options: { max_images: 13 },
    })
  })

  it('has one input picture as a data URI, and several as a list in their order', async () => {
    const [first, second] = [png, inputs.picture('image/jpeg')]
    const [one, other] = [{ mediaType: 'image/png' }, { mediaType: 'image/jpeg' }]
    expect(await sent({ images: [first] })).toMatchObject({ image: one })
    expect(await sent({ images: [second, first] })).toMatchObject({ image: [other, one] })
  })
})

describe('the model', () => {
  it.each([
    ['https://ark.cn-beijing.volces.com/api/v3', 'volcengine'],
    ['https://ark.ap-southeast.bytepluses.com/api/v3', 'byteplus'],
    ['https://ark.eu-west.bytepluses.com/api/v3', 'byteplus'],
  ] as const)('has at %s the names of its site', async (baseUrl, site) => {
    await using upstream = await startFakeArk({ site, otherSize: { width: 64, height: 64 } })
    await using http = createProviderHttp()
    const settings = { baseUrl, apiKey: fakeArkKey, timeoutMs: 5_000, maxResponseBytes: 1_000_000 }
    const provider = ark.create(settings, {
      // The same call, at the fake instead of the site.
      http: {
        ...http,
        postJson: (call) => http.postJson({ ...call, url: call.url.replace(baseUrl, upstream.url) }),
      },
      rasterise: () => Promise.reject(new Error('not used')),
    })
    const models = ['seedream-5-0-260128', 'seedream-5-0-pro-260628', 'seedream-4-5-251128']
    for (const model of models) {
      const outcome = await provider.start(requestFor({ model }), AbortSignal.timeout(5_000))
      expect(outcome).toMatchObject({ images: [{}] })
    }
  })

  it.each(['ep-20261120120000-fake1', 'doubao-seedream-4-0-250828'])(
    '%s is the operator’s own word and stays',
    async (model) => {
      expect(await sent({ model, dialect: 'seedream-4.0' })).toMatchObject({ model })
    },
  )

  it('of a dialect that does not exist is a mistake of the configuration', async () => {
    expect(await refusal({ dialect: 'constructor' })).toMatchObject({
      code: 'internal_error',
      dispatched: 'no',
      message:
        'ByteDance Ark has no dialect "constructor"; there are seedream-5.0, seedream-5.0-pro, seedream-4.5, seedream-4.0.',
    })
  })

  it.each([
    ['doubao-seedream-5-0-lite-260128', { imageSize: '2K', series: {} }],
    ['dola-seedream-5-0-pro-260628', { goFast: true }],
    ['doubao-seedream-5-0-flash-260915', { imageSize: '1K' }],
    ['seedream-4.5-turbo', { imageSize: '4K' }],
  ])('%s tells which dialect it speaks', async (model, wishes) => {
    await using upstream = await startFakeArk()
    const provider = connect(upstream.url, { apiKey: fakeArkKey })
    const start = provider.start(requestFor({ model, ...wishes }), AbortSignal.timeout(5_000))
    // The fake has no such model; that it is asked at all shows that the wishes could be said.
    await expect(start).rejects.toMatchObject({ code: 'upstream_failed' })
    expect(upstream.submissions()).toBe(1)
  })
})

const many = (count: number): InputImage[] => Array.from({ length: count }, () => png)

describe('refused by name, and not sent, is', () => {
  const pro = { model: 'seedream-5-0-pro-260628' }
  const five = { model: 'seedream-5-0-260128' }
  const four5 = { model: 'seedream-4-5-251128' }
  it.each<[string, string, Partial<ProviderRequest>]>([
    ['a second picture', 'n', { n: 2 }],
    ['a seed', 'seed', { seed: 0 }],
    ['a mask', 'mask', { images: [png], mask: inputs.mask() }],
    ['a size that is too small', 'size', { ...five, size: { width: 1_024, height: 1_024 } }],
    ['a size that is too large', 'size', { size: { width: 4_096, height: 4_097 } }],
    ['a size beyond Pro', 'size', { ...pro, size: { width: 2_560, height: 2_048 } }],
    ['a size that is too long', 'size', { size: { width: 16_400, height: 1_000 } }],
    ['a class that is too small', 'image_size', { ...four5, imageSize: '1K' }],
    ['a class beyond Pro', 'image_size', { ...pro, imageSize: '4K' }],
    ['a class beside a size', 'image_size', { imageSize: '2K', size: { width: 2_048, height: 2_048 } }],
    ['a ratio', 'aspect_ratio', { aspectRatio: '3:2' }],
    ['a format of 4.5', 'output_format', { ...four5, outputFormat: 'jpeg' }],
    ['WebP', 'output_format', { ...five, outputFormat: 'webp' }],
    ['haste with 5.0', 'go_fast', { ...five, goFast: true }],
    ['a series of Pro', 'sequential_image_generation', { ...pro, series: {} }],
    ['a series too many', 'sequential_image_generation', { series: { maxImages: 14 }, images: many(2) }],
    ['an eleventh picture', 'image', { images: many(11) }],
    ['a fifteenth picture', 'image', { ...five, images: many(15) }],
  ])('%s', async (_, param, overrides) => {
    const code = 'unsupported_parameter'
    expect(await refusal(overrides)).toMatchObject({ code, param, dispatched: 'no', retryable: false })
  })

  it.each<[string, Partial<InputImage>]>([
    ['a kind of picture', { mediaType: 'image/webp' }],
    ['a picture of more than 30 MB', { sizeBytes: 30 * 1024 * 1024 + 1 }],
  ])('%s', async (_, change) => {
    expect(await refusal({ images: [{ ...png, ...change }] })).toMatchObject({
      code: 'unsupported_image',
      param: 'image',
      dispatched: 'no',
    })
  })
})
