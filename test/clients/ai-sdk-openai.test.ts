/**
 * The AI SDK with its OpenAI provider: it decides by the model's name what it sends, reads base64 only, and asks for
 * it only where the name is not one of GPT Image.
 */
import { createOpenAI } from '@ai-sdk/openai'
import { APICallError, generateImage } from 'ai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Gateway, halvesDiffer, leftHalfMask, openGateway, pictureOf, plainPng } from './open-gateway.ts'

let gateway: Gateway
let openai: ReturnType<typeof createOpenAI>
/** What the client sent, newest last. */
const sent: { path: string; body: unknown }[] = []
beforeAll(async () => {
  gateway = await openGateway()
  openai = createOpenAI({
    baseURL: gateway.baseURL,
    apiKey: gateway.apiKey,
    fetch: (url, init) => {
      const body = typeof init?.body === 'string' ? JSON.parse(init.body) : init?.body
      sent.push({ path: new URL(String(url)).pathname, body })
      return fetch(url, init)
    },
  })
})
afterAll(() => gateway[Symbol.asyncDispose]())

const prompt = 'two green parrots on a branch'
const photoSize = { width: 256, height: 256 }

describe('GPT Image 2', () => {
  test('three pictures in one call, base64 without asking for it, with usage and what was used', async () => {
    const before = sent.length
    const { images, warnings, usage, providerMetadata, responses } = await generateImage({
      model: openai.image('gpt-image-2'),
      prompt,
      n: 3,
      size: '1536x1024',
    })
    expect(sent.slice(before)).toEqual([
      {
        path: '/v1/images/generations',
        body: { model: 'gpt-image-2', prompt, n: 3, size: '1536x1024' },
      },
    ])
    expect(await Promise.all(images.map(({ uint8Array }) => pictureOf(uint8Array)))).toEqual(
      Array(3).fill('png 1536x1024'),
    )
    expect(images[0]?.mediaType).toBe('image/png')
    expect(new Set(images.map(({ base64 }) => base64)).size).toBe(3)
    expect(warnings).toEqual([])
    expect(usage.totalTokens).toBeGreaterThan(0)
    expect(providerMetadata.openai?.images).toHaveLength(3)
    expect(providerMetadata.openai?.images[0]).toMatchObject({
      size: '1536x1024',
      quality: 'medium',
      outputFormat: 'png',
    })
    expect(responses[0]?.headers).toMatchObject({ 'x-gesso-task-id': expect.stringMatching(/^image_/) })
    expect((await gateway.lastTasks(1))[0]?.warnings).toEqual([])
  })

  test('every option of the provider reaches the model under its own name', async () => {
    const options = {
      quality: 'high',
      background: 'transparent',
      moderation: 'low',
      outputFormat: 'webp',
      outputCompression: 40,
      safetyIdentifier: 'customer-7',
    } as const
    const { image } = await generateImage({
      model: openai.image('gpt-image-2'),
      prompt,
      providerOptions: { openai: options },
    })
    expect(image.mediaType).toBe('image/webp')
    expect(gateway.lastAsked()).toEqual({
      model: 'gpt-image-2',
      prompt,
      n: 1,
      size: 'auto',
      quality: 'high',
      background: 'transparent',
      moderation: 'low',
      output_format: 'webp',
      output_compression: 40,
      safety_identifier: 'customer-7',
    })
  })

  test('seed and aspectRatio stay in the client, which says so', async () => {
    const { warnings, image } = await generateImage({
      model: openai.image('gpt-image-2'),
      prompt,
      seed: 7,
      aspectRatio: '16:9',
    })
    expect(warnings).toMatchObject([{ feature: 'aspectRatio' }, { feature: 'seed' }])
    expect(await pictureOf(image.uint8Array)).toBe('png 1024x1024')
    expect(sent.at(-1)?.body).toEqual({ model: 'gpt-image-2', prompt, n: 1 })
  })

  test('two pictures and a mask become an edit', async () => {
    const [photo, other, mask] = await Promise.all([
      plainPng(photoSize),
      plainPng({ width: 96, height: 64 }),
      leftHalfMask(photoSize),
    ])
    const { image } = await generateImage({
      model: openai.image('gpt-image-2'),
      prompt: { text: prompt, images: [photo, `data:image/png;base64,${other.toString('base64')}`], mask },
      size: '1024x1024',
      providerOptions: { openai: { quality: 'low' } },
    })
    expect(await pictureOf(image.uint8Array)).toBe('png 1024x1024')
    expect(gateway.lastAsked()).toMatchObject({
      model: 'gpt-image-2',
      prompt,
      n: '1',
      size: '1024x1024',
      quality: 'low',
      'image[]': [photoSize, { width: 96, height: 64 }],
      mask: { ...photoSize, hasAlpha: true },
    })
  })

  test('what costs money is called once: n beyond the client’s ten is two calls', async () => {
    const before = gateway.upstream.submissions()
    const { images } = await generateImage({ model: openai.image('gpt-image-2'), prompt, n: 12 })
    expect(images).toHaveLength(12)
    expect(gateway.upstream.submissions()).toBe(before + 2)
  })
})

describe('the built-in model, whose name the client does not know', () => {
  test('one call for each picture, all of them different', async () => {
    const before = sent.length
    const { images, warnings } = await generateImage({
      model: openai.image('gesso-collage'),
      prompt,
      n: 3,
      size: '320x256',
    })
    expect(sent.slice(before).map(({ body }) => body)).toEqual(
      Array(3).fill({
        model: 'gesso-collage',
        prompt,
        n: 1,
        size: '320x256',
        response_format: 'b64_json',
      }),
    )
    expect(await Promise.all(images.map(({ uint8Array }) => pictureOf(uint8Array)))).toEqual(
      Array(3).fill('png 320x256'),
    )
    expect(new Set(images.map(({ base64 }) => base64)).size).toBe(3)
    expect(warnings).toEqual([])
    expect((await gateway.lastTasks(3)).flatMap((task) => task.warnings)).toEqual([])
  })

  test('an edit with a mask: base64 although the form asks for nothing', async () => {
    const photo = await plainPng(photoSize)
    const { image } = await generateImage({
      model: openai.image('gesso-collage'),
      prompt: { text: 'a lighthouse in a storm', images: [photo], mask: await leftHalfMask(photoSize) },
      size: '256x256',
    })
    expect(sent.at(-1)?.path).toBe('/v1/images/edits')
    expect([...((sent.at(-1)?.body as FormData | undefined)?.keys() ?? [])]).not.toContain('response_format')
    const { left, right } = await halvesDiffer(photo, Buffer.from(image.uint8Array))
    expect(left).toBeGreaterThan(5)
    expect(right).toBeLessThan(0.5)
    expect((await gateway.lastTasks(1))[0]).toEqual({ model: 'gesso-collage', mode: 'edit', warnings: [] })
  })

  test('style, quality and a transparent background are drawn without a warning', async () => {
    const { image } = await generateImage({
      model: openai.image('gesso-collage'),
      prompt,
      size: '256x256',
      providerOptions: {
        openai: {
          style: 'natural',
          quality: 'hd',
          background: 'transparent',
          outputFormat: 'webp',
          user: 'u-1',
        },
      },
    })
    expect(image.mediaType).toBe('image/webp')
    expect((await gateway.lastTasks(1))[0]?.warnings).toEqual([])
  })
})

describe('DALL·E 3, as applications of old ask for it', () => {
  test('GPT Image 2 draws it in its words, and the task says so', async () => {
    const before = gateway.upstream.submissions()
    const { images } = await generateImage({
      model: openai.image('dall-e-3'),
      prompt,
      n: 2,
      size: '1792x1024',
      providerOptions: { openai: { quality: 'hd', style: 'vivid' } },
    })
    expect(sent.at(-1)?.body).toMatchObject({ n: 1, response_format: 'b64_json', style: 'vivid' })
    expect(await pictureOf(images[1]?.uint8Array ?? new Uint8Array())).toBe('png 1792x1024')
    expect(gateway.upstream.submissions()).toBe(before + 2)
    expect(gateway.lastAsked()).toEqual({
      model: 'gpt-image-2',
      prompt,
      n: 1,
      size: '1792x1024',
      quality: 'high',
    })
    expect((await gateway.lastTasks(1))[0]?.warnings).toMatchObject([
      { param: 'model', code: 'deprecated_model' },
      { param: 'style' },
    ])
  })
})

describe('errors', () => {
  async function failure(call: Promise<unknown>): Promise<APICallError> {
    const error = await call.catch((reason: unknown) => reason)
    if (APICallError.isInstance(error)) return error
    throw new Error('the call did not fail as an APICallError', { cause: error })
  }

  test.each<[string, Omit<Parameters<typeof generateImage>[0], 'model' | 'prompt'>, string, object]>([
    ['a size that the model has not', { size: '1000x1000' }, 'gpt-image-2', { param: 'size' }],
    ['a model that nobody has', {}, 'no-such-model', { code: 'model_not_found' }],
    [
      'a field of models that this server has none of',
      { providerOptions: { openai: { frameCount: 4 } } },
      'gpt-image-2',
      { code: 'unknown_parameter', param: 'frame_count' },
    ],
  ])('%s: told once, with all its parts', async (_name, own, model, expected) => {
    const before = sent.length
    const error = await failure(generateImage({ model: openai.image(model), prompt, ...own }))
    expect(error.isRetryable).toBe(false)
    expect(error.data).toMatchObject({
      error: { type: expect.any(String), param: expect.anything(), ...expected },
    })
    expect(error.message).not.toBe('')
    expect(error.responseHeaders?.['x-request-id']).toMatch(/^req_/)
    expect(sent).toHaveLength(before + 1)
  })

  test('a refusal by the provider is told in its words, and not asked for again', async () => {
    const before = gateway.upstream.submissions()
    await gateway.upstream.play('moderation', 1)
    const error = await failure(generateImage({ model: openai.image('gpt-image-2'), prompt }))
    expect(error).toMatchObject({ statusCode: 400, data: { error: { code: 'moderation_blocked' } } })
    expect(gateway.upstream.submissions()).toBe(before + 1)
  })
})
