/** A whole Gesso in front of Google Gemini: what becomes of a request, word for word. Real HTTP to a fake Gemini. */
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { FakeUpstream } from '../../upstreams/fake-upstream.ts'
import { fakeGeminiKey, startFakeGemini } from '../../upstreams/gemini.ts'
import { type DrawingWorld, dataUri, openDrawingWorld, picturesOf } from '../drawing-world.ts'

let upstream: FakeUpstream
let world: DrawingWorld
beforeAll(async () => {
  upstream = await startFakeGemini({ echo: true, drafts: true })
  world = await openDrawingWorld('', { GEMINI_API_KEY: fakeGeminiKey, GEMINI_BASE_URL: upstream.url })
})
afterEach(async () => {
  await upstream.play('ok')
  upstream.requests.length = 0
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
  await upstream.close()
})

const prompt = 'a very particular heron with a brass telescope'
const flash = { model: 'gemini-3.1-flash-image', prompt, response_format: 'b64_json' }

async function measure(bytes: Buffer | undefined) {
  const { width, height, format } = await sharp(bytes).metadata()
  return { width, height, format }
}

const bodies = () => upstream.requests.map(({ body }) => body)

describe('a generation', () => {
  // https://ai.google.dev/gemini-api/docs/image-generation and https://ai.google.dev/api/generate-content
  test('with every field that Gemini has becomes this call', async () => {
    const answer = await world.draw({
      ...flash,
      aspect_ratio: '16:9',
      image_size: '512',
      seed: 7,
      moderation: 'low',
      output_format: 'webp',
      output_compression: 60,
    })
    expect(await measure(picturesOf(answer)[0])).toEqual({ width: 688, height: 384, format: 'webp' })
    expect(answer.json.usage).toMatchObject({ generated_images: 1, output_tokens: 867 })
    const threshold = 'BLOCK_ONLY_HIGH'
    expect(upstream.requests).toEqual([
      {
        method: 'POST',
        path: '/v1beta/models/gemini-3.1-flash-image:generateContent',
        headers: expect.objectContaining({
          'x-goog-api-key': fakeGeminiKey,
          'content-type': 'application/json',
        }),
        body: {
          contents: [{ role: 'user', parts: [{ text: prompt }] }],
          generationConfig: {
            responseModalities: ['IMAGE'],
            imageConfig: { aspectRatio: '16:9', imageSize: '512' },
            seed: 7,
          },
          // https://ai.google.dev/gemini-api/docs/safety-settings
          safetySettings: [
            { category: 'HARM_CATEGORY_HARASSMENT', threshold },
            { category: 'HARM_CATEGORY_HATE_SPEECH', threshold },
            { category: 'HARM_CATEGORY_SEXUALLY_EXPLICIT', threshold },
            { category: 'HARM_CATEGORY_DANGEROUS_CONTENT', threshold },
          ],
        },
      },
    ])
    expect(upstream.requests[0]?.headers).not.toHaveProperty('authorization')
  })

  test('of a size in pixels becomes a ratio and a class, and is of that size', async () => {
    const answer = await world.draw({ ...flash, size: '424x632', disable_safety_checker: true })
    expect(await measure(picturesOf(answer)[0])).toMatchObject({ width: 424, height: 632 })
    expect(answer.json.warnings ?? []).toEqual([])
    const [body] = bodies()
    expect(body).toMatchObject({
      generationConfig: { imageConfig: { aspectRatio: '2:3', imageSize: '512' } },
    })
    expect(JSON.stringify(body).match(/"BLOCK_NONE"/g)).toHaveLength(4)
  })

  test('of a size that Gemini does not draw is refused, with those that it does', async () => {
    const { status, json } = await world.draw({ ...flash, size: '1000x1000' })
    expect([status, json.error.code, json.error.param]).toEqual([400, 'unsupported_parameter', 'size'])
    expect(json.error.message).toContain('1376x768')
    expect(upstream.requests).toEqual([])
  })

  test('of three pictures is three calls with seeds that follow each other', async () => {
    const answer = await world.draw({ ...flash, n: 3, seed: 40, image_size: '512' })
    expect(picturesOf(answer)).toHaveLength(3)
    const seeds = bodies().map(
      (body) => (body as { generationConfig: { seed: number } }).generationConfig.seed,
    )
    expect(seeds.toSorted()).toEqual([40, 41, 42])
    expect(new Set(bodies().map((body) => /"text":"([^"]+)"/.exec(JSON.stringify(body))?.[1]))).toEqual(
      new Set([prompt]),
    )
  })

  test('is warned of what Gemini lacks, where that is a hint, and refused where it is not', async () => {
    const { status, json } = await world.draw({ ...flash, image_size: '512', quality: 'high', user: 'u-1' })
    expect(status).toBe(200)
    expect(json.warnings.map((one: { param: string }) => one.param).toSorted()).toEqual(['quality', 'user'])
    const refused = await world.draw({ ...flash, negative_prompt: 'boats' })
    expect([refused.status, refused.json.error.param]).toEqual([400, 'negative_prompt'])
    expect(upstream.requests).toHaveLength(1)
  })

  test('of the closed model is drawn by its successor, in the old sizes', async () => {
    const answer = await world.draw({ ...flash, model: 'gemini-2.5-flash-image', size: '1344x768' })
    expect(await measure(picturesOf(answer)[0])).toMatchObject({ width: 1344, height: 768 })
    expect(answer.json.warnings).toMatchObject([{ param: 'model', code: 'deprecated_model' }])
    expect(upstream.requests).toMatchObject([
      {
        path: '/v1beta/models/gemini-3.1-flash-image:generateContent',
        body: { generationConfig: { imageConfig: { aspectRatio: '16:9', imageSize: '1K' } } },
      },
    ])
  })
})

describe('an edit', () => {
  // https://ai.google.dev/gemini-api/docs/image-generation, "Image editing": text first, then the pictures.
  test('carries its pictures in the body, in order', async () => {
    const image = [await dataUri({ width: 48, height: 32 }), await dataUri({ width: 32, height: 32 })]
    const answer = await world.draw({ ...flash, model: 'gemini-3-pro-image', image })
    expect(await measure(picturesOf(answer)[0])).toMatchObject({ width: 1264, height: 848 })
    const data = expect.stringMatching(/^iVBORw0KGgo/)
    expect(bodies()).toEqual([
      {
        contents: [
          {
            role: 'user',
            parts: [
              { text: prompt },
              { inlineData: { mimeType: 'image/png', data } },
              { inlineData: { mimeType: 'image/png', data } },
            ],
          },
        ],
        generationConfig: { responseModalities: ['IMAGE'], imageConfig: { imageSize: '1K' } },
      },
    ])
  })

  test('with a mask is refused before anything is sent', async () => {
    const size = { width: 48, height: 32 }
    const mask = await dataUri(size, { r: 0, g: 0, b: 0, alpha: 0 })
    const { status, json } = await world.draw({ ...flash, image: await dataUri(size), mask })
    expect([status, json.error.param]).toEqual([400, 'mask'])
    expect(upstream.requests).toEqual([])
  })
})

describe('what goes wrong', () => {
  test('a refusal is a 400 that is not tried again', async () => {
    await upstream.play('moderation')
    const { status, json, headers } = await world.draw(flash)
    expect([status, json.error.code]).toEqual([400, 'moderation_blocked'])
    expect(headers.get('x-should-retry')).toBe('false')
    expect(upstream.requests).toHaveLength(1)
  })

  test('an answer without a picture is a 502', async () => {
    await upstream.play('empty')
    const { status, json, text } = await world.draw(flash)
    expect([status, json.error.code]).toEqual([502, 'upstream_invalid_response'])
    expect(text).not.toContain(prompt)
    expect(upstream.requests).toHaveLength(1)
  })

  test('a picture that fails beside others is a warning', async () => {
    await upstream.play('500', 1)
    const answer = await world.draw({ ...flash, n: 2, image_size: '512' })
    expect(answer.status).toBe(200)
    expect(picturesOf(answer)).toHaveLength(1)
    expect(answer.json.usage.generated_images).toBe(1)
    expect(answer.json.warnings).toHaveLength(1)
  })

  test('a wrong key is nobody’s business but the operator’s', async () => {
    await upstream.play('401')
    const { status, json, text } = await world.draw(flash)
    expect([status, json.error.code]).toEqual([502, 'upstream_failed'])
    expect(text).not.toContain(fakeGeminiKey)
  })
})

test('the models are listed as available', async () => {
  const { data } = (await (await world.call('/v1/models')).json()) as {
    data: { id: string; available: boolean }[]
  }
  const available = data.filter((model) => model.available).map((model) => model.id)
  expect(available).toEqual(
    expect.arrayContaining([
      'gemini-3-pro-image',
      'gemini-3.1-flash-image',
      'gemini-3.1-flash-lite-image',
      'gemini-2.5-flash-image',
    ]),
  )
})
