/** A whole Gesso in front of Alibaba DashScope: what becomes of its requests there, and of the answers here. */
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { dashscopeRoutes } from '../../../src/models/catalogue/routes/dashscope.ts'
import { type FakeDashScope, fakeDashScopeKey, startFakeDashScope } from '../../upstreams/dashscope.ts'
import {
  type Answer,
  type DrawingWorld,
  dataUri,
  type Json,
  openDrawingWorld,
  picturesOf,
} from '../drawing-world.ts'

let fake: FakeDashScope
let world: DrawingWorld

beforeAll(async () => {
  fake = await startFakeDashScope({ echo: true })
  world = await openDrawingWorld(
    'models: [{ id: my-qwen, provider: dashscope, upstream_model: qwen-image-plus, dialect: messages }]',
    {
      DASHSCOPE_API_KEY: fakeDashScopeKey,
      DASHSCOPE_BASE_URL: fake.url,
    },
  )
})
afterEach(async () => {
  await fake.play('ok')
  fake.requests.length = 0
})
afterAll(async () => {
  await world?.[Symbol.asyncDispose]()
  await fake?.close()
})

const prompt = 'a very particular heron with a brass telescope'
const ask = { prompt, response_format: 'b64_json' }

/** What was asked of DashScope for pictures, in order. */
const submitted = () => fake.requests.filter(({ path }) => path.includes('/services/'))
const questions = () => fake.requests.filter(({ path }) => path.includes('/tasks/'))
const downloads = () => fake.requests.filter(({ path }) => path.startsWith('/files/'))

function drawn(answer: Answer): Buffer[] {
  expect(answer.status, answer.text).toBe(200)
  return picturesOf(answer)
}

async function kindOf(bytes: Buffer | undefined) {
  const { width, height, format } = await sharp(bytes).metadata()
  return { width, height, format }
}

describe('a generation', () => {
  // "Qwen image generation and editing API reference", HTTP synchronous,
  // https://www.alibabacloud.com/help/en/model-studio/qwen-image-generation-and-editing-api-reference, read 2026-11-20.
  it('with every field of Qwen-Image 2.0 is one call that answers at once', async () => {
    const answer = await world.draw({
      ...ask,
      model: 'qwen-image-2.0-pro',
      n: 2,
      size: '768x512',
      seed: 7,
      negative_prompt: 'boats',
      watermark: true,
      output_format: 'webp',
    })
    for (const picture of drawn(answer))
      expect(await kindOf(picture)).toEqual({ width: 768, height: 512, format: 'webp' })
    expect(answer.json.data).toHaveLength(2)
    expect(submitted()).toEqual([
      {
        method: 'POST',
        path: '/api/v1/services/aigc/multimodal-generation/generation',
        headers: expect.objectContaining({
          authorization: `Bearer ${fakeDashScopeKey}`,
          'content-type': 'application/json',
        }),
        body: {
          model: 'qwen-image-2.0-pro',
          input: { messages: [{ role: 'user', content: [{ text: prompt }] }] },
          parameters: {
            n: 2,
            size: '768*512',
            seed: 7,
            negative_prompt: 'boats',
            prompt_extend: false,
            watermark: true,
          },
        },
      },
    ])
    expect(submitted()[0]?.headers).not.toHaveProperty('x-dashscope-async')
  })

  // "Text-to-image V2 API reference", HTTP asynchronous, and "Asynchronous task management API",
  // https://www.alibabacloud.com/help/en/model-studio/manage-asynchronous-tasks, read 2026-11-20.
  it('of Wan is a task that is asked for, and so are those of other models that could be', async () => {
    const wish = { ...ask, seed: 7, negative_prompt: 'boats' }
    const [wan25, wan26, qwen] = await Promise.all([
      world.draw({ ...wish, model: 'wan2.5-t2i-preview', n: 2, size: '1024x1024' }),
      world.draw({ ...wish, model: 'wan2.6-t2i', aspect_ratio: '1:1' }),
      world.draw({ ...wish, model: 'qwen-image', aspect_ratio: '16:9' }),
    ])
    expect(drawn(wan25)).toHaveLength(2)
    expect(await kindOf(drawn(wan26)[0])).toEqual({ width: 1280, height: 1280, format: 'png' })
    expect(await kindOf(drawn(qwen)[0])).toMatchObject({ width: 1664, height: 928 })
    const plain = { seed: 7, prompt_extend: false, watermark: false }
    const calls = submitted().map(({ path, body }) => ({
      path: path.replace('/api/v1/services/aigc/', ''),
      body,
    }))
    expect(calls).toHaveLength(3)
    expect(calls).toEqual(
      expect.arrayContaining([
        {
          path: 'text2image/image-synthesis',
          body: {
            model: 'wan2.5-t2i-preview',
            input: { prompt, negative_prompt: 'boats' },
            parameters: { ...plain, n: 2, size: '1024*1024' },
          },
        },
        {
          path: 'image-generation/generation',
          body: {
            model: 'wan2.6-t2i',
            input: { messages: [{ role: 'user', content: [{ text: prompt }] }] },
            parameters: { ...plain, n: 1, size: '1280*1280', negative_prompt: 'boats' },
          },
        },
        {
          path: 'text2image/image-synthesis',
          body: {
            model: 'qwen-image',
            input: { prompt, negative_prompt: 'boats' },
            parameters: { ...plain, n: 1, size: '1664*928' },
          },
        },
      ]),
    )
    for (const { headers } of submitted()) expect(headers).toMatchObject({ 'x-dashscope-async': 'enable' })
    expect(questions().length).toBeGreaterThanOrEqual(3)
    for (const { headers, method } of questions()) {
      expect(method).toBe('GET')
      expect(headers).toMatchObject({ authorization: `Bearer ${fakeDashScopeKey}` })
      expect(headers).not.toHaveProperty('x-dashscope-async')
    }
  })

  // "Wan2.7 - image generation and editing API reference", image sets,
  // https://www.alibabacloud.com/help/en/model-studio/wan-image-generation-and-editing-api-reference, read 2026-11-20.
  it('of a series, and of a class, uses the words of Wan 2.7', async () => {
    const wish = { ...ask, model: 'wan2.7-image', image_size: '1K' }
    const [single, series] = await Promise.all([
      world.draw(wish),
      world.draw({
        ...wish,
        sequential_image_generation: 'auto',
        sequential_image_generation_options: { max_images: 3 },
      }),
    ])
    expect(drawn(single)).toHaveLength(1)
    expect(drawn(series)).toHaveLength(2)
    expect(series.json.warnings ?? []).toEqual([])
    const parameters = submitted().map(({ body }) => (body as Json).parameters)
    expect(parameters).toHaveLength(2)
    expect(parameters).toEqual(
      expect.arrayContaining([
        { n: 1, size: '1K', watermark: false, enable_sequential: false },
        { n: 3, size: '1K', watermark: false, enable_sequential: true },
      ]),
    )
  })

  it('of more pictures than one call makes is several calls, with seeds that follow each other', async () => {
    const answer = await world.draw({ ...ask, model: 'qwen-image-max', n: 2, seed: 40, size: '1328x1328' })
    expect(drawn(answer)).toHaveLength(2)
    const parameters = submitted().map(({ body }) => (body as Json).parameters)
    expect(parameters.map(({ n }) => n)).toEqual([1, 1])
    expect(parameters.map(({ seed }) => seed).toSorted()).toEqual([40, 41])
  })

  it('is warned of hints that the model lacks, and refused where it is more than a hint', async () => {
    const wish = { ...ask, model: 'z-image-turbo', size: '512x512' }
    const answer = await world.draw({ ...wish, num_inference_steps: 8, style: 'vivid' })
    expect(drawn(answer)).toHaveLength(1)
    expect(answer.json.warnings).toMatchObject([{ param: 'style' }, { param: 'num_inference_steps' }])
    expect(submitted().map(({ body }) => (body as Json).parameters)).toEqual([
      { size: '512*512', prompt_extend: false },
    ])
    const refused = await world.draw({ ...wish, negative_prompt: 'boats' })
    expect(refused).toMatchObject({ status: 400, json: { error: { param: 'negative_prompt' } } })
    expect(submitted()).toHaveLength(1)
  })

  it('of a model of the operator’s own goes where its dialect says', async () => {
    drawn(await world.draw({ ...ask, model: 'my-qwen', size: '1328x1328' }))
    expect(submitted()).toMatchObject([
      { path: '/api/v1/services/aigc/multimodal-generation/generation', body: { model: 'qwen-image-plus' } },
    ])
  })
})

describe('an edit', () => {
  const file = (width: number, height: number) =>
    expect.objectContaining({ mediaType: 'image/png', width, height })

  // "Qwen image editing API reference", multi-image fusion,
  // https://www.alibabacloud.com/help/en/model-studio/qwen-image-edit-api, read 2026-11-20.
  it('carries its pictures in the message, in order and before the words', async () => {
    const image = [await dataUri({ width: 96, height: 64 }), await dataUri({ width: 64, height: 96 })]
    const answer = await world.draw({ ...ask, model: 'qwen-image-edit-plus', image, size: '512x768' })
    expect(await kindOf(drawn(answer)[0])).toEqual({ width: 512, height: 768, format: 'png' })
    expect(submitted().map(({ body }) => body)).toEqual([
      {
        model: 'qwen-image-edit-plus',
        input: {
          messages: [
            { role: 'user', content: [{ image: file(96, 64) }, { image: file(64, 96) }, { text: prompt }] },
          ],
        },
        parameters: { n: 1, size: '512*768', prompt_extend: false, watermark: false },
      },
    ])
  })

  // "Wan2.5 - general image editing API reference",
  // https://www.alibabacloud.com/help/en/model-studio/wan2-5-image-edit-api-reference, read 2026-11-20.
  it('of Wan 2.5 carries them beside the prompt', async () => {
    const image = await dataUri({ width: 96, height: 64 })
    const answer = await world.draw({ ...ask, model: 'wan2.5-i2i-preview', image, size: '1200x800' })
    expect(await kindOf(drawn(answer)[0])).toMatchObject({ width: 1200, height: 800 })
    expect(submitted()).toMatchObject([
      {
        path: '/api/v1/services/aigc/image2image/image-synthesis',
        body: { input: { prompt, images: [file(96, 64)] }, parameters: { n: 1, size: '1200*800' } },
      },
    ])
  })

  it('without a picture, or with a mask, is refused before anything is sent', async () => {
    const size = { width: 96, height: 64 }
    const mask = await dataUri(size, { r: 0, g: 0, b: 0, alpha: 0 })
    const without = await world.draw({ ...ask, model: 'wan2.6-image' })
    expect(without).toMatchObject({ status: 400, json: { error: { param: 'image' } } })
    const masked = await world.draw({ ...ask, model: 'wan2.6-image', image: await dataUri(size), mask })
    expect(masked).toMatchObject({ status: 400, json: { error: { param: 'mask' } } })
    expect(submitted()).toEqual([])
  })
})

describe('what goes wrong', () => {
  const quick = { ...ask, model: 'qwen-image-2.0', size: '512x512' }
  const task = { ...ask, model: 'wan2.7-image', image_size: '1K' }

  it('is a 400 where the vendor objects, before the work or after it', async () => {
    await fake.play('moderation')
    for (const { status, json, headers, text } of await Promise.all([world.draw(quick), world.draw(task)])) {
      expect([status, json.error.code]).toEqual([400, 'moderation_blocked'])
      expect(headers.get('x-should-retry')).toBe('false')
      expect(text).not.toContain('heron')
    }
    expect(submitted()).toHaveLength(2)
  })

  it('is a 502 where pictures are gone before they can be fetched', async () => {
    await fake.play('expired')
    const { status, json } = await world.draw(quick)
    expect([status, json.error.type]).toEqual([502, 'upstream_error'])
    expect(submitted()).toHaveLength(1)
  })

  it('is a 502 without a secret where work fails', async () => {
    await fake.play('failed work')
    const { status, json, text } = await world.draw(task)
    expect([status, json.error.code]).toEqual([502, 'upstream_failed'])
    for (const secret of ['heron', fakeDashScopeKey, 'iVBOR']) expect(text).not.toContain(secret)
    expect(submitted()).toHaveLength(1)
  })

  it('is a warning where one picture fails beside another', async () => {
    await fake.play('partial')
    const answer = await world.draw({ ...ask, model: 'wan2.5-t2i-preview', n: 2, size: '768x768' })
    expect(drawn(answer)).toHaveLength(1)
    expect(answer.json.usage.generated_images).toBe(1)
    expect(answer.json.warnings).toHaveLength(1)
  })

  it('is told to the operator where the key is of another region', async () => {
    await fake.play('401')
    const { status, json, text } = await world.draw(quick)
    expect([status, json.error.code]).toEqual([502, 'upstream_failed'])
    expect(json.error.message).toContain('DASHSCOPE_BASE_URL, which chooses the region')
    expect(text).not.toContain(fakeDashScopeKey)
  })

  it('never takes the key to the address of a picture', async () => {
    drawn(await world.draw(quick))
    expect(downloads()).toHaveLength(1)
    for (const { headers } of downloads()) {
      expect(headers).not.toHaveProperty('authorization')
      expect(JSON.stringify(headers)).not.toContain(fakeDashScopeKey)
    }
  })
})

it('lists the models as available', async () => {
  const { data } = (await (await world.call('/v1/models')).json()) as {
    data: { id: string; available: boolean }[]
  }
  const available = data.filter((model) => model.available).map((model) => model.id)
  expect(available).toEqual(expect.arrayContaining([...Object.keys(dashscopeRoutes), 'my-qwen']))
})
