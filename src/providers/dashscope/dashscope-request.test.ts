/** What goes on the wire, model by model, against a fake that refuses what the vendor refuses. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type FakeDashScope, startFakeDashScope } from '../../../test/upstreams/dashscope.ts'
import { RecordedFile } from '../../../test/upstreams/recorded-file.ts'
import type { ProviderRequest } from '../provider.ts'
import { openSampleInputs } from '../testing/sample-inputs.ts'
import { closeOpened, connect, failure, key, requestFor } from './testing/connect.ts'

let upstream: FakeDashScope
beforeAll(async () => {
  upstream = await startFakeDashScope({ otherSize: { width: 64, height: 64 } })
})
afterEach(closeOpened)
afterAll(() => upstream.close())

const inputs = await openSampleInputs()
const picture = inputs.picture('image/png')
const file = expect.any(RecordedFile)

/** Sends one request and answers what arrived. */
async function sent(overrides: Partial<ProviderRequest>) {
  await connect(upstream.url).start(requestFor(overrides), AbortSignal.timeout(5_000))
  const { method, path, headers, body } = upstream.requests.at(-1) ?? {}
  return { call: `${method} ${path}`, async: headers?.['x-dashscope-async'], headers, body }
}

const everything = { seed: 0, negativePrompt: 'boats', watermark: true }
const prompt = 'a heron at dawn'

describe('a model that answers at once', () => {
  it('is told everything in one message, and no async header', async () => {
    const size = { width: 1536, height: 1024 }
    const said = await sent({ ...everything, n: 2, size, images: [picture, picture] })
    expect(said).toMatchObject({
      call: 'POST /api/v1/services/aigc/multimodal-generation/generation',
      async: undefined,
      headers: { authorization: `Bearer ${key}` },
      body: {
        model: 'qwen-image-2.0-pro',
        input: {
          messages: [{ role: 'user', content: [{ image: file }, { image: file }, { text: prompt }] }],
        },
      },
    })
    expect(said.body).toHaveProperty('parameters', {
      n: 2,
      size: '1536*1024',
      seed: 0,
      negative_prompt: 'boats',
      prompt_extend: false,
      watermark: true,
    })
  })

  it.each<[string, Partial<ProviderRequest>, object]>([
    ['qwen-image-3.0', {}, { n: 1, prompt_extend: false, watermark: false }],
    ['qwen-image-max', {}, { n: 1, prompt_extend: false, watermark: false }],
    ['qwen-image-edit-plus', { images: [picture] }, { n: 1, prompt_extend: false, watermark: false }],
    ['qwen-image-edit', { images: [picture] }, { n: 1, watermark: false }],
    ['z-image-turbo', { seed: 7 }, { seed: 7, prompt_extend: false }],
  ])(
    '%s is told its defaults out loud, and nothing that it does not know',
    async (model, overrides, said) => {
      expect((await sent({ model, ...overrides })).body).toHaveProperty('parameters', said)
    },
  )
})

describe('a model that answers with a task', () => {
  it('in the prompt protocol has what it should avoid beside the prompt', async () => {
    const said = await sent({ ...everything, model: 'qwen-image', size: { width: 1664, height: 928 } })
    expect(said).toMatchObject({
      call: 'POST /api/v1/services/aigc/text2image/image-synthesis',
      async: 'enable',
      body: {
        model: 'qwen-image',
        input: { prompt, negative_prompt: 'boats' },
        parameters: { n: 1, size: '1664*928', seed: 0, prompt_extend: false, watermark: true },
      },
    })
    expect(said.body).not.toHaveProperty('parameters.negative_prompt')
  })

  it('has the pictures of an edit beside the prompt too', async () => {
    const said = await sent({ ...everything, model: 'wan2.5-i2i-preview', images: [picture, picture] })
    expect(said).toMatchObject({
      call: 'POST /api/v1/services/aigc/image2image/image-synthesis',
      async: 'enable',
      body: {
        input: { prompt, negative_prompt: 'boats', images: [file, file] },
        parameters: { n: 1, seed: 0, prompt_extend: false, watermark: true },
      },
    })
  })

  it.each<[string, Partial<ProviderRequest>, object]>([
    [
      'wan2.6-t2i',
      { negativePrompt: 'boats' },
      { n: 1, prompt_extend: false, watermark: false, negative_prompt: 'boats' },
    ],
    [
      'wan2.6-image',
      { images: [picture], imageSize: '2K' },
      { n: 1, size: '2K', prompt_extend: false, watermark: false, enable_interleave: false },
    ],
    ['wan2.7-image', { n: 4 }, { n: 4, watermark: false, enable_sequential: false }],
    [
      'wan2.7-image-pro',
      { imageSize: '4K' },
      { n: 1, size: '4K', watermark: false, enable_sequential: false },
    ],
    ['wan2.7-image', { series: { maxImages: 4 } }, { n: 4, watermark: false, enable_sequential: true }],
    ['wan2.7-image', { series: {} }, { n: 12, watermark: false, enable_sequential: true }],
    ['wan2.7-image', { series: { maxImages: 15 } }, { n: 12, watermark: false, enable_sequential: true }],
  ])('%s is told %j', async (model, overrides, said) => {
    const { call, async, body } = await sent({ model, ...overrides })
    expect(call).toBe('POST /api/v1/services/aigc/image-generation/generation')
    expect(async).toBe('enable')
    expect(body).toHaveProperty('parameters', said)
  })
})

describe('an operator who names the dialect', () => {
  it('decides where a model goes that could be called in two ways', async () => {
    const { call, async } = await sent({ model: 'qwen-image-plus', dialect: 'messages' })
    expect([call, async]).toEqual(['POST /api/v1/services/aigc/multimodal-generation/generation', undefined])
  })

  it('is told when there is no such dialect', async () => {
    const error = await failure(
      connect(upstream.url).start(requestFor({ dialect: 'wanx' }), AbortSignal.timeout(5_000)),
    )
    expect(error).toMatchObject({ code: 'internal_error', dispatched: 'no' })
  })
})

describe('what a model cannot do is refused by name, before anything is sent', () => {
  const large = { width: 4096, height: 4096 }
  const heavy = { ...picture, sizeBytes: 11 * 1024 * 1024 }
  it.each<[string, string, Partial<ProviderRequest>]>([
    ['negative_prompt', 'wan2.7-image', { negativePrompt: 'boats' }],
    ['negative_prompt', 'wan2.6-t2i', { negativePrompt: 'boats '.repeat(84) }],
    ['negative_prompt', 'z-image-turbo', { negativePrompt: 'boats' }],
    ['watermark', 'z-image-turbo', { watermark: false }],
    ['size', 'qwen-image-edit', { images: [picture], size: { width: 1024, height: 1024 } }],
    ['size', 'wan2.7-image', { size: large }],
    ['size', 'wan2.7-image-pro', { size: large, images: [picture] }],
    ['image_size', 'wan2.7-image', { imageSize: '4K' }],
    ['image_size', 'wan2.7-image-pro', { imageSize: '4K', images: [picture] }],
    ['image_size', 'wan2.7-image-pro', { imageSize: '4K', series: {} }],
    ['image_size', 'qwen-image-2.0', { imageSize: '2K' }],
    ['aspect_ratio', 'wan2.7-image', { aspectRatio: '3:2' }],
    ['image', 'wan2.6-image', {}],
    ['image', 'qwen-image', { images: [picture] }],
    ['image', 'qwen-image-2.0', { images: [picture, picture, picture, picture] }],
    ['image', 'qwen-image-2.0', { images: [heavy] }],
    ['image', 'qwen-image-2.0', { images: [inputs.picture('image/gif')] }],
    ['sequential_image_generation', 'wan2.6-t2i', { series: {} }],
    ['num_inference_steps', 'wan2.7-image', { steps: 8 }],
  ])('%s by %s', async (param, model, overrides) => {
    const before = upstream.requests.length
    const error = await failure(
      connect(upstream.url).start(requestFor({ model, ...overrides }), AbortSignal.timeout(5_000)),
    )
    expect(error).toMatchObject({ attribution: 'client', param, dispatched: 'no' })
    expect(upstream.requests.length).toBe(before)
  })
})
