/**
 * A service that takes the fields of diffusion models beside model and prompt: every field, default and example of its
 * documentation, on a model that knows them all, on one that knows none, and on the built-in one.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  dataOf,
  dataUri,
  expectError,
  openService,
  pictureAt,
  pixelsOf,
  type Service,
} from './open-service.ts'

let service: Service
beforeAll(async () => {
  service = await openService(`models:
  - id: qwen-image
    provider: openai
    supports: [aspect_ratio, image_size, seed, negative_prompt, guidance, num_inference_steps, strength, go_fast,
      disable_safety_checker, lora_weights, lora_scale, extra_lora_weights, extra_lora_scale, image]
  - id: qwen-by-size
    provider: openai
    supports: [image_size]
    sizes: [1328x1328, 1664x928]
  - id: plain
    provider: openai
`)
})
afterAll(() => service[Symbol.asyncDispose]())

const path = '/v1/images/generations'
const prompt = 'A futuristic city skyline at sunset'
const good = { model: 'qwen-image', prompt }
const collage = { model: 'gesso-collage', prompt, size: '128x128' }
const plain = { model: 'plain', prompt, size: '128x128' }
/** What the upstream is told of a request that asks for nothing special. */
const bare = { model: 'qwen-image', prompt, n: 1, response_format: 'b64_json' }

const documentedDefaults = {
  go_fast: true,
  guidance: 3,
  negative_prompt: '',
  num_inference_steps: 30,
  disable_safety_checker: false,
  strength: 0,
  lora_scale: 1,
  output_quality: 80,
  enhance_prompt: false,
  seed: null,
  image: null,
  lora_weights: null,
}

const curl = `curl --request POST \\
  --url https://example.com/v1/images/generations \\
  --header 'Authorization: Bearer <token>' \\
  --header 'Content-Type: application/json' \\
  --data '
{
  "model": "qwen-image",
  "prompt": "A futuristic city skyline at sunset"
}
'`

describe('the example', () => {
  test('runs as it stands: created in Unix seconds, and a link that opens', async () => {
    const { status, body } = await service.call(path, dataOf(curl))
    expect(status).toBe(200)
    expect(Math.abs(body.created - Date.now() / 1_000)).toBeLessThan(30)
    expect(body.data).toHaveLength(1)
    expect(await pictureAt(body.data[0].url)).toBe('png 1024x1024')
    expect(body.warnings).toBeUndefined()
    expect(service.lastAsked()).toEqual(bare)
  })

  test.each(['model', 'prompt'])('%s is required', async (field) => {
    const answer = await service.call(path, { ...good, [field]: undefined })
    expectError(answer, { status: 400, code: 'invalid_image_request', param: field, says: /required/ })
  })
})

describe('every field reaches a model that knows it', () => {
  test.each([
    ['negative_prompt', { negative_prompt: 'fog' }],
    ['go_fast false', { go_fast: false }],
    ['guidance', { guidance: 4.5 }],
    ['num_inference_steps', { num_inference_steps: 12 }],
    ['seed', { seed: 42 }],
    ['seed 0', { seed: 0 }],
    ['disable_safety_checker', { disable_safety_checker: true }],
    ['lora_weights', { lora_weights: 'owner/name' }],
    ['lora_weights as an address', { lora_weights: 'https://example.com/a.safetensors' }],
    ['lora_scale', { lora_weights: 'owner/name', lora_scale: 0.5 }],
    [
      'extra_lora_weights and extra_lora_scale',
      { lora_weights: 'a/b', extra_lora_weights: ['c/d', 'e/f'], extra_lora_scale: [0.5, 1] },
    ],
    ['aspect_ratio', { aspect_ratio: '16:9' }],
    ['image_size optimize_for_quality', { image_size: 'optimize_for_quality' }],
    ['image_size optimize_for_speed', { image_size: 'optimize_for_speed' }],
    ['aspect_ratio beside image_size', { aspect_ratio: '9:16', image_size: 'optimize_for_speed' }],
    ['size beside image_size', { size: '640x640', image_size: 'optimize_for_speed' }],
  ])('%s', async (_name, fields) => {
    const { status, body } = await service.call(path, { ...good, ...fields })
    expect(status).toBe(200)
    expect(body.warnings).toBeUndefined()
    expect(service.lastAsked()).toEqual({ ...bare, ...fields })
  })

  test.each(['optimize_for_quality', 'optimize_for_speed'])(
    'aspect_ratio beside image_size %s, where the ratio becomes a size',
    async (image_size) => {
      const { status, body } = await service.call(path, {
        ...good,
        model: 'qwen-by-size',
        aspect_ratio: '16:9',
        image_size,
      })
      expect(status).toBe(200)
      expect(body.warnings).toBeUndefined()
      expect(service.lastAsked()).toEqual({ ...bare, model: 'qwen-by-size', size: '1664x928', image_size })
    },
  )

  test('image_size beside a size, on a model that makes a size of it: a hint without effect', async () => {
    const { body } = await service.call(path, { ...collage, image_size: 'optimize_for_speed' })
    expect(body.warnings).toMatchObject([{ param: 'image_size' }])
    expect(body.size).toBe('128x128')
  })

  test('image and strength: the picture itself, to the edit operation', async () => {
    const { status, body } = await service.call(path, { ...good, image: await dataUri(), strength: 0.6 })
    expect(status).toBe(200)
    expect(body.warnings).toBeUndefined()
    expect(service.lastPath()).toBe('/v1/images/edits')
    expect(service.lastAsked()).toMatchObject({ strength: '0.6', image: { width: 120, height: 80 } })
  })

  test('image as an address', async () => {
    const { status } = await service.call(path, { ...good, image: `${service.pictures}/photo.jpg` })
    expect(status).toBe(200)
    expect(service.lastAsked()).toMatchObject({ image: { format: 'jpeg' } })
  })
})

describe('output', () => {
  test.each(['webp', 'png', 'jpeg'])('output_format %s is what the link gives', async (format) => {
    const { body } = await service.call(path, { ...good, output_format: format })
    expect(body.output_format).toBe(format)
    expect(await pictureAt(body.data[0].url)).toBe(`${format} 1024x1024`)
  })

  test('output_format jpg, as diffusion models call it, is jpeg', async () => {
    const { body } = await service.call(path, { ...collage, output_format: 'jpg' })
    expect(body.output_format).toBe('jpeg')
    expect(await pictureAt(body.data[0].url)).toBe('jpeg 128x128')
  })

  test('output_quality makes smaller files', async () => {
    const bytes = async (quality: number) => {
      const wish = { output_format: 'webp', output_quality: quality, response_format: 'b64_json', seed: 1 }
      return (await service.call(path, { ...collage, ...wish })).body.data[0].b64_json.length
    }
    expect(await bytes(10)).toBeLessThan(await bytes(95))
  })
})

describe('enhance_prompt', () => {
  test('is false by default: no chat model is asked', async () => {
    const before = service.chat.requests.length
    const { body } = await service.call(path, good)
    expect(body.prompt_optimization).toBeUndefined()
    expect(body.data[0].revised_prompt).toBeUndefined()
    expect(service.chat.requests).toHaveLength(before)
  })

  test('true: the rewritten prompt is drawn and told', async () => {
    const { body } = await service.call(path, { ...good, enhance_prompt: true })
    expect(body.prompt_optimization).toMatchObject({ original: prompt, model: 'gpt-5-nano' })
    expect(service.lastAsked().prompt).toBe(body.prompt_optimization.optimized)
    expect(body.data[0].revised_prompt).toBe(body.prompt_optimization.optimized)
  })
})

describe('the documented defaults, sent as such, change nothing and warn of nothing', () => {
  test('on the built-in model: the very same pixels', async () => {
    const wish = { ...collage, response_format: 'b64_json', seed: 5 }
    const silent = await service.call(path, wish)
    const told = await service.call(path, { ...wish, ...documentedDefaults, seed: 5 })
    expect(told.body.warnings).toBeUndefined()
    const pixels = await Promise.all([silent, told].map(({ body }) => pixelsOf(body.data[0].b64_json)))
    expect(pixels[1]).toBe(pixels[0])
    expect((await service.call(path, { ...collage, ...documentedDefaults })).body.warnings).toBeUndefined()
  })

  test.each(['qwen-image', 'plain'])('on %s: the upstream hears none of them', async (model) => {
    const { status, body } = await service.call(path, { ...good, model, ...documentedDefaults })
    expect(status).toBe(200)
    expect(body.warnings).toBeUndefined()
    expect(service.lastAsked()).toEqual({ ...bare, model })
  })

  test.each(['gesso-collage', 'plain'])('on %s under handling=strict', async (model) => {
    const headers = { prefer: 'handling=strict' }
    const answer = await service.call(path, { ...collage, model, ...documentedDefaults }, headers)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('preference-applied')).toBe('handling=strict')
  })

  test.each(Object.entries(documentedDefaults))(
    '%s %j alone, on a model that knows none',
    async (name, value) => {
      const { status, body } = await service.call(path, { ...plain, [name]: value })
      expect(status).toBe(200)
      expect(body.warnings).toBeUndefined()
    },
  )

  test.each([
    ['strength beside an image', { image: true }],
    ['output_quality beside webp', { output_format: 'webp' }],
    ['output_quality beside png', { output_format: 'png' }],
    ['empty lists of further weights', { extra_lora_weights: [], extra_lora_scale: [] }],
  ])('%s', async (_name, fields) => {
    const image = 'image' in fields ? { image: await dataUri() } : {}
    const body = { ...collage, ...documentedDefaults, ...fields, ...image }
    const answer = await service.call(path, body)
    expect(answer.status).toBe(200)
    expect(answer.body.warnings).toBeUndefined()
  })
})

describe('everything explicit, with go_fast false', () => {
  const explicit = { ...documentedDefaults, go_fast: false }

  test('on the built-in model it warns of nothing', async () => {
    const { status, body } = await service.call(path, { ...collage, ...explicit })
    expect(status).toBe(200)
    expect(body.warnings).toBeUndefined()
  })

  test('on a model that knows no go_fast, it is a hint that was ignored', async () => {
    const { status, body } = await service.call(path, { ...plain, ...explicit })
    expect(status).toBe(200)
    expect(body.warnings).toEqual([
      { param: 'go_fast', code: 'unsupported_parameter', message: expect.stringMatching(/go_fast.*plain/) },
    ])
  })
})

describe('a model that knows none of them', () => {
  test.each([
    ['guidance', { guidance: 7 }],
    ['num_inference_steps', { num_inference_steps: 5 }],
    ['disable_safety_checker', { disable_safety_checker: true }],
    ['image_size', { image_size: 'optimize_for_quality' }],
  ])('%s is a hint: drawn all the same, with a warning that names it', async (name, fields) => {
    const { status, body } = await service.call(path, { ...plain, size: undefined, ...fields })
    expect(status).toBe(200)
    expect(body.warnings).toEqual([
      expect.objectContaining({
        param: name,
        code: 'unsupported_parameter',
        message: expect.stringMatching(name),
      }),
    ])
    expect(service.lastAsked()).toEqual({ ...bare, model: 'plain' })
  })

  test.each([
    ['negative_prompt', { negative_prompt: 'fog' }],
    ['seed', { seed: 1 }],
    ['lora_weights', { lora_weights: 'a/b' }],
    ['image', { image: 'data' }],
  ])('%s changes the picture: refused by name, and nobody is asked', async (name, fields) => {
    const image = 'image' in fields ? { image: await dataUri() } : {}
    const before = service.upstream.submissions()
    const answer = await service.call(path, { ...plain, ...fields, ...image })
    expectError(answer, { status: 400, code: 'unsupported_parameter', param: name, says: /plain/ })
    expect(service.upstream.submissions()).toBe(before)
  })

  test('aspect_ratio becomes a size', async () => {
    await service.call(path, { ...plain, size: undefined, aspect_ratio: '16:9' })
    const [width, height] = service.lastAsked().size.split('x')
    expect(width / height).toBeCloseTo(16 / 9, 2)
    expect(service.lastAsked().aspect_ratio).toBeUndefined()
  })
})

describe('wrong values are refused by name', () => {
  test.each<[string, string, unknown, RegExp]>([
    ['enhance_prompt is no boolean', 'enhance_prompt', 'true', /true or false/],
    ['go_fast is no boolean', 'go_fast', 1, /true or false/],
    ['guidance is text', 'guidance', '3', /number/],
    ['guidance is below 0', 'guidance', -1, /from 0/],
    ['negative_prompt is no text', 'negative_prompt', 3, /text/],
    ['num_inference_steps is no integer', 'num_inference_steps', 2.5, /whole number/],
    ['num_inference_steps is 0', 'num_inference_steps', 0, /from 1/],
    ['seed is text', 'seed', '42', /whole number/],
    ['seed is a fraction', 'seed', 1.5, /whole number/],
    ['seed is negative', 'seed', -1, /from 0/],
    ['seed is beyond 32 bits', 'seed', 4_294_967_296, /4294967295/],
    ['disable_safety_checker is no boolean', 'disable_safety_checker', 'no', /true or false/],
    ['image is a number', 'image', 7, /URL/],
    ['strength is above 1', 'strength', 1.1, /from 0 to 1/],
    ['lora_weights is a list', 'lora_weights', ['a/b'], /owner\/name/],
    ['lora_weights climbs out of its folder', 'lora_weights', '../../etc/passwd', /owner\/name/],
    ['lora_weights is a file', 'lora_weights', 'file:///etc/passwd', /owner\/name/],
    ['lora_scale is text', 'lora_scale', '1', /number/],
    ['extra_lora_weights is text', 'extra_lora_weights', 'a/b', /list/],
    ['extra_lora_weights are too many', 'extra_lora_weights', Array(11).fill('a/b'), /at most 10/],
    ['extra_lora_scale is a number', 'extra_lora_scale', 1, /list/],
    ['aspect_ratio with a slash', 'aspect_ratio', '16/9', /16:9/],
    ['aspect_ratio of zero', 'aspect_ratio', '0:1', /W:H/],
    ['image_size is an unknown word', 'image_size', 'best', /optimize_for_quality, optimize_for_speed/],
    ['output_format is an unknown word', 'output_format', 'bmp', /png, jpeg, webp/],
    ['output_quality is above 100', 'output_quality', 101, /from 0 to 100/],
    ['output_quality is a fraction', 'output_quality', 79.5, /whole number/],
  ])('%s', async (_name, field, value, says) => {
    const answer = await service.call(path, { ...collage, [field]: value })
    expectError(answer, { status: 400, code: 'invalid_image_request', param: field, says })
  })

  test.each<[string, string, object]>([
    ['strength without an image', 'strength', { strength: 0.5 }],
    ['lora_scale without weights', 'lora_scale', { lora_scale: 0.5 }],
    ['extra_lora_weights without the first', 'extra_lora_weights', { extra_lora_weights: ['a/b'] }],
    [
      'fewer scales than weights',
      'extra_lora_scale',
      { lora_weights: 'a/b', extra_lora_weights: ['c/d', 'e/f'], extra_lora_scale: [1] },
    ],
    ['output_quality without a format that has one', 'output_quality', { output_quality: 50 }],
    ['output_quality beside png', 'output_quality', { output_quality: 50, output_format: 'png' }],
    ['a ratio that contradicts the size', 'aspect_ratio', { aspect_ratio: '16:9' }],
    ['a field that nobody knows', 'replicate_weights', { replicate_weights: 'x' }],
  ])('%s', async (_name, param, fields) => {
    expectError(await service.call(path, { ...collage, ...fields }), { status: 400, param })
  })
})
