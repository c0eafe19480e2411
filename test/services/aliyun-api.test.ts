/**
 * The relay's other form: bodies as Aliyun's Model Studio takes them, with `input` and `parameters`, on an address of
 * their own and on the usual one. The answer is OpenAI's in both places.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dataUri, expectError, openService, pictureAt, type Service } from './open-service.ts'

let service: Service
beforeAll(async () => {
  service = await openService(`models:
  - id: qwen-image-2.0
    provider: openai
    supports: [seed, negative_prompt, image]
    max_n: 6
  - id: wan2.6-image
    provider: openai
    supports: [image_size, image, watermark]
  - id: qwen-image
    provider: openai
    sizes: [1664x928, 1328x1328]
`)
})
afterAll(() => service[Symbol.asyncDispose]())

const own = '/aliyun/v1/images/generations'
const usual = '/v1/images/generations'
const prompt = 'a red fox in a snowy forest'

function messages(...content: object[]) {
  return { messages: [{ role: 'user', content }] }
}
const good = {
  model: 'qwen-image-2.0',
  input: messages({ text: prompt }),
  parameters: { size: '128*96' },
}
const asked = { model: 'qwen-image-2.0', prompt, n: 1, size: '128x96', response_format: 'b64_json' }

describe.each([own, usual])('POST %s', (path) => {
  test('a message with a text gives a link, in OpenAI’s shape', async () => {
    const { status, body } = await service.call(path, good)
    expect(status).toBe(200)
    expect(body).toMatchObject({ model: 'qwen-image-2.0', size: '128x96', usage: { generated_images: 1 } })
    expect(await pictureAt(body.data[0].url)).toBe('png 128x96')
    expect(body.warnings).toBeUndefined()
    expect(service.lastAsked()).toEqual(asked)
  })

  test('parameters are optional', async () => {
    const { status } = await service.call(path, { ...good, parameters: undefined })
    expect(status).toBe(200)
    expect(service.lastAsked()).toEqual({ ...asked, size: undefined })
  })

  test('a prompt instead of messages, with its negative prompt', async () => {
    const input = { prompt, negative_prompt: 'fog' }
    expect((await service.call(path, { ...good, input })).status).toBe(200)
    expect(service.lastAsked()).toEqual({ ...asked, negative_prompt: 'fog' })
  })

  test.each([
    ['n', { n: 2 }, { n: 2 }],
    ['seed', { seed: 7 }, { seed: 7 }],
    ['negative_prompt', { negative_prompt: 'blur' }, { negative_prompt: 'blur' }],
    ['an empty negative_prompt', { negative_prompt: '' }, {}],
    ['prompt_extend false', { prompt_extend: false }, {}],
    ['watermark false', { watermark: false }, {}],
    ['a size with an x', { size: '128x96' }, {}],
    ['nulls', { n: null, seed: null, watermark: null, prompt_extend: null }, {}],
  ])('parameters: %s', async (_name, parameters, arrived) => {
    const body = { ...good, parameters: { ...good.parameters, ...parameters } }
    const answer = await service.call(path, body)
    expect(answer.status).toBe(200)
    expect(answer.body.warnings).toBeUndefined()
    expect(service.lastAsked()).toEqual({ ...asked, ...arrived })
  })

  test('prompt_extend true has the prompt rewritten', async () => {
    const body = { ...good, parameters: { ...good.parameters, prompt_extend: true } }
    const answer = await service.call(path, body)
    expect(answer.body.prompt_optimization.original).toBe(prompt)
    expect(service.lastAsked().prompt).toBe(answer.body.prompt_optimization.optimized)
  })

  test.each(['1K', '2K', '4K'])('the size %s is a resolution class', async (size) => {
    const body = { ...good, model: 'wan2.6-image', parameters: { size } }
    expect((await service.call(path, body)).status).toBe(200)
    expect(service.lastAsked().image_size).toBe(size)
  })

  test('pictures of a message make it an edit, in their order', async () => {
    const input = messages(
      { image: await dataUri('jpeg') },
      { image: `${service.pictures}/a.png` },
      { text: prompt },
    )
    expect((await service.call(path, { ...good, input })).status).toBe(200)
    expect(service.lastPath()).toBe('/v1/images/edits')
    expect(service.lastAsked()['image[]']).toMatchObject([{ format: 'jpeg' }, { format: 'png' }])
  })

  test('pictures beside a prompt', async () => {
    expect((await service.call(path, { ...good, input: { prompt, images: [await dataUri()] } })).status).toBe(
      200,
    )
    expect(service.lastAsked().image).toMatchObject({ format: 'png' })
  })

  test('a picture of megabytes', async () => {
    const [head, base64 = ''] = (await dataUri('jpeg')).split(',')
    const heavy = Buffer.concat([Buffer.from(base64, 'base64'), Buffer.alloc(2_000_000)])
    const input = messages({ image: `${head},${heavy.toString('base64')}` }, { text: prompt })
    expect((await service.call(path, { ...good, input })).status).toBe(200)
    expect(service.lastAsked().image).toMatchObject({ format: 'jpeg', width: 120 })
  })

  test('response_format, bucket and dry_run stand beside, as everywhere', async () => {
    const { body } = await service.call(path, { ...good, response_format: 'b64_json', bucket: 'From Aliyun' })
    expect(body.data[0].b64_json).toEqual(expect.any(String))
    expect(body.bucket).toBe('from-aliyun')
    const estimate = await service.call(path, { ...good, dry_run: true })
    expect(estimate.body.object).toBe('image.generation.estimate')
  })

  test.each<[string, object, string | null, RegExp]>([
    ['no model', { model: undefined }, 'model', /required/],
    ['no text', { input: messages() }, 'input.messages.0.content', /./],
    [
      'too many texts',
      { input: messages(...Array(21).fill({ text: 'a' })) },
      'input.messages.0.content',
      /1 to 20/,
    ],
    [
      'a picture without a text',
      { input: messages({ image: 'https://example.com/a.png' }) },
      'input',
      /0 texts/,
    ],
    ['two texts', { input: messages({ text: 'a' }, { text: 'b' }) }, 'input', /2 texts/],
    ['a blank text', { input: messages({ text: ' ' }) }, 'input.messages.0.content.0.text', /not blank/],
    ['an empty input', { input: {} }, 'input', /messages/],
    ['messages and a prompt', { input: { ...messages({ text: 'a' }), prompt } }, 'input', /one of the two/],
    ['no message', { input: { messages: [] } }, 'input.messages', /one message/],
    [
      'two messages',
      { input: { messages: [...good.input.messages, ...good.input.messages] } },
      'input.messages',
      /one message/,
    ],
    [
      'another role',
      { input: { messages: [{ role: 'system', content: [{ text: 'a' }] }] } },
      'input.messages.0.role',
      /user/,
    ],
    [
      'a content of another kind',
      { input: messages({ video: 'x' }) },
      'input.messages.0.content.0',
      /text or with image/,
    ],
    ['a bad picture', { input: messages({ image: 'nonsense!' }, { text: 'a' }) }, 'input.image[0]', /URL/],
    ['parameters that are a list', { parameters: [] }, 'parameters', /object/],
    ['n as text', { parameters: { n: '2' } }, 'parameters.n', /whole number/],
    ['a seed beyond bounds', { parameters: { seed: -1 } }, 'parameters.seed', /whole number/],
    [
      'prompt_extend as text',
      { parameters: { prompt_extend: 'true' } },
      'parameters.prompt_extend',
      /true or false/,
    ],
    [
      'an unknown parameter',
      { parameters: { thinking_mode: true } },
      'parameters.thinking_mode',
      /not a parameter/,
    ],
    ['an unknown field', { quality: 'high' }, 'quality', /not a parameter/],
    ['a prompt outside of the input', { prompt }, 'prompt', /not a parameter/],
    ['a size with ×', { parameters: { size: '1024×1024' } }, 'parameters.size', /1024×1024/],
    ['a size of words', { parameters: { size: 'large' } }, 'parameters.size', /large/],
    ['a size with two asterisks', { parameters: { size: '10*10*10' } }, 'parameters.size', /10\*10\*10/],
  ])('%s is refused, in the words of this form', async (_name, fields, param, says) => {
    const before = service.upstream.submissions()
    expectError(await service.call(path, { ...good, ...fields }), { status: 400, param, says })
    expect(service.upstream.submissions()).toBe(before)
  })

  test('more pictures than the model makes', async () => {
    expectError(await service.call(path, { ...good, parameters: { n: 7 } }), { status: 400, says: /1 to 6/ })
  })

  test('a size that the model has not', async () => {
    const answer = await service.call(path, {
      ...good,
      model: 'qwen-image',
      parameters: { size: '1024*1024' },
    })
    expectError(answer, { status: 400, says: /1664x928, 1328x1328/ })
  })

  test('an unknown parameter is a warning for those who asked for leniency', async () => {
    const body = { ...good, parameters: { ...good.parameters, thinking_mode: true }, top: 1 }
    const answer = await service.call(path, body, { prefer: 'handling=lenient' })
    expect(answer.status).toBe(200)
    expect(answer.body.warnings.map((one: { param: string }) => one.param).sort()).toEqual([
      'parameters.thinking_mode',
      'top',
    ])
  })
})

describe('which form is it?', () => {
  test('without an input the address of its own takes nothing', async () => {
    expectError(await service.call(own, { model: 'qwen-image-2.0', prompt }), { status: 400, param: 'input' })
  })

  test.each([null, 'text', []])(
    'input %j on the usual address is an unknown field of the usual form',
    async (input) => {
      const answer = await service.call(usual, { model: 'qwen-image-2.0', prompt, input })
      expectError(answer, { status: 400, code: 'unknown_parameter', param: 'input' })
    },
  )
})
