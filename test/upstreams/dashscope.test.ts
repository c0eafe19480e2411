/**
 * The fake against the examples that Model Studio's API references print (read 2026-11-20), sent as they stand there.
 * The vendor publishes no npm client for pictures.
 */
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type FakeDashScope, fakeDashScopeKey, startFakeDashScope } from './dashscope.ts'

let upstream: FakeDashScope
beforeAll(async () => {
  upstream = await startFakeDashScope()
})
afterEach(() => upstream.play('ok'))
afterAll(() => upstream.close())

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely, as a client of a JSON API does.
type Json = any

const sync = '/services/aigc/multimodal-generation/generation'
const asyncMessages = '/services/aigc/image-generation/generation'
const text2image = '/services/aigc/text2image/image-synthesis'
const image2image = '/services/aigc/image2image/image-synthesis'

/** What `curl` does in the examples. */
async function curl(path: string, body?: object, headers: Record<string, string> = {}) {
  const response = await fetch(`${upstream.url}${path}`, {
    method: body ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${fakeDashScopeKey}`, 'content-type': 'application/json', ...headers },
    body: body && JSON.stringify(body),
  })
  return { status: response.status, json: (await response.json()) as Json }
}

const makesTask = { 'x-dashscope-async': 'enable' }
const one = (text: string, parameters: object = {}, model = 'qwen-image-2.0-pro') => ({
  model,
  input: { messages: [{ role: 'user', content: [{ text }] }] },
  parameters,
})

/** Asks for the task until it has ended. */
async function finished(id: string): Promise<Json> {
  for (;;) {
    const { json } = await curl(`/tasks/${id}`)
    if (!['PENDING', 'RUNNING'].includes(json.output.task_status)) return json
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

async function measure(url: string) {
  const response = await fetch(url)
  expect(response.headers.get('content-type')).toBe('image/png')
  const { width, height, format } = await sharp(Buffer.from(await response.arrayBuffer())).metadata()
  return { width, height, format }
}

describe('the examples', () => {
  // https://help.aliyun.com/zh/model-studio/qwen-image-api, "HTTP synchronous"
  test('of Qwen-Image, at once', async () => {
    const { status, json } = await curl(
      sync,
      one(
        'Healing-style hand-drawn poster featuring three puppies playing with a ball on lush green grass',
        { negative_prompt: 'low resolution', prompt_extend: true, watermark: false, size: '1664*928' },
        'qwen-image-max',
      ),
    )
    expect(status).toBe(200)
    expect(json).toEqual({
      output: {
        choices: [
          {
            finish_reason: 'stop',
            message: { role: 'assistant', content: [{ image: expect.any(String), type: 'image' }] },
          },
        ],
        finished: true,
      },
      usage: { image_count: 1, width: 1664, height: 928 },
      request_id: expect.any(String),
    })
    const { image } = json.output.choices[0].message.content[0]
    expect(await measure(image)).toEqual({ width: 1664, height: 928, format: 'png' })
  })

  // https://help.aliyun.com/zh/model-studio/qwen-image-edit-api, "Multi-image fusion"
  test('of Qwen-Image-Edit, with three pictures', async () => {
    const folder = 'https://help-static-aliyun-doc.aliyuncs.com/file-manage-files/zh-CN/20250925'
    const { json } = await curl(sync, {
      model: 'qwen-image-edit-plus',
      input: {
        messages: [
          {
            role: 'user',
            content: [
              { image: `${folder}/thtclx/input1.png` },
              { image: `${folder}/iclsnx/input2.png` },
              { image: `${folder}/gborgw/input3.png` },
              { text: '图1中的女生穿着图2中的黑色裙子按图3的姿势坐下' },
            ],
          },
        ],
      },
      parameters: { n: 2, negative_prompt: ' ', prompt_extend: true, watermark: false, size: '1024*1536' },
    })
    expect(json.output.choices[0].message.content).toHaveLength(2)
    expect(json.usage).toEqual({ image_count: 2, width: 1024, height: 1536 })
  })

  // https://help.aliyun.com/zh/model-studio/z-image-api-reference
  test('of Z-Image', async () => {
    const { json } = await curl(
      sync,
      one('film grain, a stylish young woman', { prompt_extend: false, size: '1120*1440' }, 'z-image-turbo'),
    )
    expect(await measure(json.output.choices[0].message.content[0].image)).toMatchObject({ width: 1120 })
  })

  // https://help.aliyun.com/zh/model-studio/text-to-image-v2-api-reference, "HTTP asynchronous"
  test('of Wan 2.5, as a task', async () => {
    const accepted = await curl(
      text2image,
      {
        model: 'wan2.5-t2i-preview',
        input: { prompt: '一间有着精致窗户的花店，漂亮的木质门，摆放着花朵' },
        parameters: { size: '1280*1280', n: 2 },
      },
      makesTask,
    )
    expect(accepted.json).toEqual({
      output: { task_status: 'PENDING', task_id: expect.any(String) },
      request_id: expect.any(String),
    })
    const { output, usage } = await finished(accepted.json.output.task_id)
    expect(output).toMatchObject({
      task_id: accepted.json.output.task_id,
      task_status: 'SUCCEEDED',
      submit_time: expect.any(String),
      end_time: expect.any(String),
      results: [
        { orig_prompt: expect.any(String), actual_prompt: expect.any(String), url: expect.any(String) },
        { url: expect.any(String) },
      ],
      task_metrics: { TOTAL: 2, SUCCEEDED: 2, FAILED: 0 },
    })
    expect(usage).toMatchObject({ image_count: 2 })
  })

  // https://help.aliyun.com/zh/model-studio/wan2-5-image-edit-api-reference, "Multi-image fusion"
  test('of the edits of Wan 2.5, with four pictures unless it says n', async () => {
    const body = (parameters: object) => ({
      model: 'wan2.5-i2i-preview',
      input: {
        prompt: 'Place the alarm clock from Image 1 next to the vase on the dining table in Image 2.',
        images: [
          'https://img.alicdn.com/imgextra/i3/O1CN0157XGE51l6iL9441yX_!!6000000004770-49-tps-1104-1472.webp',
          'https://img.alicdn.com/imgextra/i3/O1CN01SfG4J41UYn9WNt4X1_!!6000000002530-49-tps-1696-960.webp',
        ],
      },
      parameters,
    })
    const counts = []
    for (const parameters of [{ n: 1 }, { size: '768*768' }]) {
      const { json } = await curl(image2image, body(parameters), makesTask)
      counts.push((await finished(json.output.task_id)).output.results.length)
    }
    expect(counts).toEqual([1, 4])
  })

  // https://help.aliyun.com/zh/model-studio/wan-image-generation-and-editing-api-reference, "Image set generation"
  test('of a series of Wan 2.7, which may be shorter', async () => {
    const text = '电影感组图，记录同一只流浪橘猫，特征必须前后一致。'
    const body = one(text, { enable_sequential: true, n: 4, size: '1K' }, 'wan2.7-image-pro')
    const { json } = await curl(asyncMessages, body, makesTask)
    const { output, usage } = await finished(json.output.task_id)
    expect(output.choices.length).toBeGreaterThan(1)
    expect(output.choices.flatMap((choice: Json) => choice.message.content)).toHaveLength(3)
    expect(usage).toMatchObject({ size: '1024*1024' })
  })
})

describe('a mistake', () => {
  const text = 'a flower shop'
  test.each<[string, string, object, Record<string, string>, number, string]>([
    ['the header where it must not be', sync, one(text), makesTask, 403, 'AccessDenied'],
    ['no header where it must be', asyncMessages, one(text, {}, 'wan2.6-t2i'), {}, 403, 'AccessDenied'],
    ['a wrong key', sync, one(text), { authorization: 'Bearer sk-wrong' }, 401, 'InvalidApiKey'],
    ['an unknown model', sync, one(text, {}, 'wan9'), {}, 404, 'ModelNotFound'],
    ['a model of another protocol', sync, one(text, {}, 'wan2.5-t2i-preview'), {}, 400, 'InvalidParameter'],
    ['an x in the size', sync, one(text, { size: '1024x1024' }), {}, 400, 'InvalidParameter'],
    ['a size too large', sync, one(text, { size: '4096*4096' }), {}, 400, 'InvalidParameter'],
    ['too many pictures', sync, one(text, { n: 7 }), {}, 400, 'InvalidParameter'],
    ['a seed too large', sync, one(text, { seed: 2_147_483_648 }), {}, 400, 'InvalidParameter'],
    ['an unknown parameter', sync, one(text, { steps: 8 }), {}, 400, 'InvalidParameter'],
    ['an unknown field', sync, { ...one(text), n: 1 }, {}, 400, 'InvalidParameter'],
    ['an edit without a picture', sync, one(text, {}, 'qwen-image-edit'), {}, 400, 'InvalidParameter'],
    [
      'a picture that is no address',
      image2image,
      { model: 'wan2.5-i2i-preview', input: { prompt: text, images: ['iVBORw0KGgo='] } },
      makesTask,
      400,
      'InvalidURL',
    ],
  ])('%s is refused as the vendor would', async (_, path, body, headers, status, code) => {
    const answer = await curl(path, body, headers)
    expect(answer).toEqual({
      status,
      json: { code, message: expect.any(String), request_id: expect.any(String) },
    })
  })

  test('the async header is refused on questions too', async () => {
    expect(await curl('/tasks/some', undefined, makesTask)).toMatchObject({ status: 403 })
  })

  test('a key at the address of a picture is one credential too many', async () => {
    const { json } = await curl(sync, one(text, { size: '512*512' }))
    const { image } = json.output.choices[0].message.content[0]
    expect((await fetch(image, { headers: { authorization: 'Bearer x' } })).status).toBe(400)
  })
})

describe('a task', () => {
  // https://help.aliyun.com/zh/model-studio/manage-asynchronous-tasks
  test('that nobody has begun is unknown', async () => {
    const { status, json } = await curl('/tasks/73205176-xxxx-xxxx-xxxx-16bd5d902219')
    expect(status).toBe(200)
    expect(json.output).toEqual({ task_id: '73205176-xxxx-xxxx-xxxx-16bd5d902219', task_status: 'UNKNOWN' })
  })

  test('is canceled while it waits, and not later', async () => {
    const body = { model: 'qwen-image', input: { prompt: 'a flower shop' } }
    await upstream.play('pending')
    const waiting = (await curl(text2image, body, makesTask)).json.output.task_id
    expect(await curl(`/tasks/${waiting}/cancel`, {})).toMatchObject({
      status: 200,
      json: { request_id: expect.any(String) },
    })
    expect((await finished(waiting)).output.task_status).toBe('CANCELED')
    await upstream.play('ok')
    const running = (await curl(text2image, body, makesTask)).json.output.task_id
    const refused = { status: 400, json: { code: 'UnsupportedOperation' } }
    expect(await curl(`/tasks/${running}/cancel`, {})).toMatchObject(refused)
    expect((await finished(running)).output.task_status).toBe('SUCCEEDED')
  })
})
