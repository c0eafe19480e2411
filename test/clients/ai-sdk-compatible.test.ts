/**
 * The AI SDK with its provider for any OpenAI-compatible server: what stands under the provider's name goes on the
 * wire as it is, and pictures may come as links, which it downloads with its key.
 */
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { generateImage } from 'ai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Gateway, halvesDiffer, leftHalfMask, openGateway, pictureOf, plainPng } from './open-gateway.ts'

let gateway: Gateway
let gesso: ReturnType<typeof createOpenAICompatible>
/** The address of each request of the client, newest last. */
const sent: string[] = []
beforeAll(async () => {
  gateway = await openGateway({
    fake: { dialect: 'openai-compatible' },
    models: `models:
  - id: local-diffusion
    provider: openai
    supports: [aspect_ratio, seed, negative_prompt, guidance, num_inference_steps, strength, lora_weights,
      extra_lora_weights, image, mask, safety_identifier]
`,
  })
  gesso = createOpenAICompatible({
    name: 'gesso',
    baseURL: gateway.baseURL,
    apiKey: gateway.apiKey,
    fetch: (url, init) => {
      sent.push(new URL(String(url)).pathname)
      return fetch(url, init)
    },
  })
})
afterAll(() => gateway[Symbol.asyncDispose]())

const prompt = 'a fox in the snow'
const size = { width: 256, height: 256 }

describe.each(['gesso-collage', 'local-diffusion'])('%s', (id) => {
  test.each([1, 2, 3])('%i from text: one call, base64 without asking, different pictures', async (n) => {
    const before = sent.length
    const { images, warnings } = await generateImage({
      model: gesso.imageModel(id),
      prompt,
      n,
      size: '320x256',
    })
    expect(sent.slice(before)).toEqual(['/v1/images/generations'])
    expect(await Promise.all(images.map(({ uint8Array }) => pictureOf(uint8Array)))).toEqual(
      Array(n).fill('png 320x256'),
    )
    expect(new Set(images.map(({ base64 }) => base64)).size).toBe(n)
    expect(warnings).toEqual([])
    expect((await gateway.lastTasks(1))[0]).toEqual({ model: id, mode: 'generation', warnings: [] })
  })

  test('links, where the application asks for them, are downloaded with the key', async () => {
    const before = sent.length
    const { images } = await generateImage({
      model: gesso.imageModel(id),
      prompt,
      n: 2,
      size: '256x256',
      providerOptions: { gesso: { response_format: 'url' } },
    })
    expect(sent.slice(before)).toEqual([
      '/v1/images/generations',
      ...Array(2).fill(expect.stringMatching('^/i/')),
    ])
    expect(await pictureOf(images[1]?.uint8Array ?? new Uint8Array())).toBe('png 256x256')
  })

  test('the client’s own seed and aspectRatio stay with it, the provider’s options do not', async () => {
    const { warnings, image } = await generateImage({
      model: gesso.imageModel(id),
      prompt,
      seed: 7,
      aspectRatio: '16:9',
      providerOptions: {
        gesso: { seed: 9, aspect_ratio: '16:9', negative_prompt: 'fog', output_format: 'webp' },
      },
    })
    expect(warnings).toMatchObject([{ feature: 'aspectRatio' }, { feature: 'seed' }])
    expect(image.mediaType).toBe('image/webp')
    expect((await gateway.lastTasks(1))[0]?.warnings).toEqual([])
  })

  test('a field that nobody knows is refused by name, and sent once', async () => {
    const before = sent.length
    const call = generateImage({
      model: gesso.imageModel(id),
      prompt,
      providerOptions: { gesso: { foo: 1 } },
    })
    await expect(call).rejects.toMatchObject({
      statusCode: 400,
      data: { error: { code: 'unknown_parameter', param: 'foo' } },
    })
    expect(sent).toHaveLength(before + 1)
  })
})

test('the options of a generation arrive as they were written', async () => {
  const options = {
    seed: 9,
    aspect_ratio: '16:9',
    negative_prompt: 'fog',
    num_inference_steps: 12,
    user: 'u-1',
  }
  await generateImage({
    model: gesso.imageModel('local-diffusion'),
    prompt,
    providerOptions: { gesso: { ...options, lora_weights: 'a/b', extra_lora_weights: ['c/d'] } },
  })
  expect(gateway.lastAsked()).toEqual({
    model: 'local-diffusion',
    prompt,
    n: 1,
    response_format: 'b64_json',
    ...options,
    lora_weights: 'a/b',
    extra_lora_weights: ['c/d'],
  })
})

test('an edit: pictures, mask and options as parts of a form', async () => {
  const [photo, mask] = await Promise.all([plainPng(size), leftHalfMask(size)])
  const lists = { lora_weights: 'a/b', extra_lora_weights: ['c/d'] }
  const { image } = await generateImage({
    model: gesso.imageModel('local-diffusion'),
    prompt: { text: prompt, images: [photo], mask },
    size: '256x256',
    providerOptions: { gesso: { seed: 0, strength: 0.6, ...lists } },
  })
  expect(await pictureOf(image.uint8Array)).toBe('png 256x256')
  expect(gateway.lastAsked()).toMatchObject({
    model: 'local-diffusion',
    n: '1',
    size: '256x256',
    seed: '0',
    strength: '0.6',
    lora_weights: 'a/b',
    'extra_lora_weights[]': 'c/d',
    image: size,
    mask: { hasAlpha: true },
  })
  await generateImage({
    model: gesso.imageModel('local-diffusion'),
    prompt: { text: prompt, images: [photo, photo] },
    providerOptions: { gesso: { ...lists, extra_lora_weights: ['c/d', 'e/f'] } },
  })
  expect(gateway.lastAsked()).toMatchObject({
    'image[]': [size, size],
    'extra_lora_weights[]': ['c/d', 'e/f'],
  })
})

test('the built-in model edits where the mask is transparent', async () => {
  const photo = await plainPng(size)
  const { image } = await generateImage({
    model: gesso.imageModel('gesso-collage'),
    prompt: { text: 'a lighthouse in a storm', images: [photo], mask: await leftHalfMask(size) },
    size: '256x256',
  })
  const { left, right } = await halvesDiffer(photo, Buffer.from(image.uint8Array))
  expect(left).toBeGreaterThan(5)
  expect(right).toBeLessThan(0.5)
})
