import { createHash } from 'node:crypto'
import { createGoogle } from '@ai-sdk/google'
import { generateImage, generateText } from 'ai'
import sharp from 'sharp'
import { afterEach, describe, expect, it } from 'vitest'
import { type FakeGeminiOptions, fakeGeminiKey, startFakeGemini } from './gemini.ts'

const opened: { close(): unknown }[] = []
afterEach(async () => {
  for (const resource of opened.splice(0)) await resource.close()
})

/** The fake, and Vercel's Google client that judges it. */
async function start(options: FakeGeminiOptions = {}, apiKey = fakeGeminiKey) {
  const fake = await startFakeGemini({ otherSize: { width: 96, height: 64 }, ...options })
  opened.push(fake)
  return { fake, google: createGoogle({ apiKey, baseURL: fake.url }) }
}

const prompt = 'a heron at dawn'
const red = await sharp({ create: { width: 48, height: 32, channels: 3, background: '#ff0000' } })
  .png()
  .toBuffer()

async function measure(bytes: Uint8Array) {
  const { width, height, format } = await sharp(bytes).metadata()
  return { width, height, format }
}

async function middleOf(picture: Uint8Array): Promise<number[]> {
  const { data, info } = await sharp(picture).raw().toBuffer({ resolveWithObject: true })
  const at = (info.width * (info.height >> 1) + (info.width >> 1)) * info.channels
  return [...data.subarray(at, at + 3)]
}

describe('the image model of the client, talking to the fake Gemini', () => {
  it('generates a picture of the ratio and class it asks for', async () => {
    const { fake, google } = await start({ otherSize: undefined })
    const { image, usage } = await generateImage({
      model: google.image('gemini-3.1-flash-image'),
      prompt,
      aspectRatio: '16:9',
      seed: 7,
      providerOptions: { google: { imageConfig: { imageSize: '512' } } },
    })
    expect(await measure(image.uint8Array)).toEqual({ width: 688, height: 384, format: 'png' })
    expect(usage).toMatchObject({ inputTokens: 4, outputTokens: 867 })
    expect(fake.requests).toMatchObject([
      {
        method: 'POST',
        path: '/v1beta/models/gemini-3.1-flash-image:generateContent',
        headers: { 'x-goog-api-key': fakeGeminiKey },
        body: {
          contents: [{ role: 'user', parts: [{ text: prompt }] }],
          generationConfig: {
            seed: 7,
            responseModalities: ['IMAGE'],
            imageConfig: { imageSize: '512', aspectRatio: '16:9' },
          },
        },
      },
    ])
  })

  it('makes several pictures by several calls', async () => {
    const { fake, google } = await start()
    const { images } = await generateImage({ model: google.image('gemini-3-pro-image'), prompt, n: 2 })
    expect([images.length, fake.submissions()]).toEqual([2, 2])
  })

  it('edits pictures, which arrive byte for byte', async () => {
    const { fake, google } = await start()
    const { image } = await generateImage({
      model: google.image('gemini-3.1-flash-lite-image'),
      prompt: { text: 'add a hat', images: [red, red] },
    })
    expect(await middleOf(image.uint8Array)).toEqual([255, 0, 0])
    const sent = [...JSON.stringify(fake.requests[0]?.body).matchAll(/"data":"([^"]+)"/g)].map(
      ([, data = '']) => Buffer.from(data, 'base64'),
    )
    const sum = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
    expect(sent.map(sum)).toEqual([sum(red), sum(red)])
  })

  it('draws an edit as upright as its first picture, where no ratio is named', async () => {
    const { google } = await start({ otherSize: undefined })
    const { image } = await generateImage({
      model: google.image('gemini-3.1-flash-image'),
      prompt: { text: 'add a hat', images: [red] },
    })
    expect(await measure(image.uint8Array)).toMatchObject({ width: 1264, height: 848 })
  })

  it('is not given drafts', async () => {
    const { google } = await start({ drafts: true })
    const { images } = await generateImage({ model: google.image('gemini-3-pro-image'), prompt })
    expect(images).toHaveLength(1)
  })

  it('understands a refusal as one', async () => {
    const { fake, google } = await start()
    await fake.play('moderation')
    const refused = generateImage({ model: google.image('gemini-3.1-flash-image'), prompt, maxRetries: 0 })
    await expect(refused).rejects.toMatchObject({ name: 'AI_NoImageGeneratedError' })
    const { finishReason, rawFinishReason } = await generateText({
      model: google('gemini-3.1-flash-image'),
      prompt,
    })
    expect([finishReason, rawFinishReason]).toEqual(['content-filter', 'IMAGE_SAFETY'])
  })
})

describe('the language model of the client', () => {
  it('gets text beside the picture where it asks for both, and safety settings are taken', async () => {
    const { fake, google } = await start({ drafts: true })
    const { text, files, usage, response } = await generateText({
      model: google('gemini-3-pro-image'),
      prompt,
      providerOptions: {
        google: {
          responseModalities: ['TEXT', 'IMAGE'],
          safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
        },
      },
    })
    expect(text).toBe('Here is your picture.')
    const pictures = files.filter((file) => file.mediaType === 'image/png')
    expect(await measure(pictures.at(-1)?.uint8Array ?? new Uint8Array())).toMatchObject({ format: 'png' })
    expect(usage).toMatchObject({
      inputTokens: 4,
      outputTokens: 1245,
      outputTokenDetails: { reasoningTokens: 120 },
    })
    expect(response.id).toMatch(/^[\w-]{16}$/)
    expect(fake.requests[0]?.body).toMatchObject({ safetySettings: [{}] })
  })

  it.each([
    ['401', 400, /API key not valid/],
    ['402', 429, /limit: 0/],
    ['429', 429, /retry in 17.5s/],
    ['500', 500, /internal error/],
    ['503', 503, /overloaded/],
  ] as const)('reads what it is told by "%s"', async (scenario, statusCode, message) => {
    const { fake, google } = await start()
    await fake.play(scenario)
    const failed = generateText({ model: google('gemini-3.1-flash-image'), prompt, maxRetries: 0 })
    await expect(failed).rejects.toMatchObject({
      name: 'AI_APICallError',
      statusCode,
      message: expect.stringMatching(message),
      data: { error: { code: statusCode, status: expect.stringMatching(/^[A-Z_]+$/) } },
    })
  })

  it('is refused with another key', async () => {
    const { google } = await start({}, 'AIzaSyOther')
    const failed = generateText({ model: google('gemini-3.1-flash-image'), prompt, maxRetries: 0 })
    await expect(failed).rejects.toMatchObject({
      statusCode: 400,
      message: expect.stringContaining('API key'),
    })
  })
})

/** A call as the Gemini API reference writes it. */
async function post(body: object, { model = 'gemini-3.1-flash-image', headers = {} } = {}) {
  const { fake } = await start()
  const response = await fetch(`${fake.url}/models/${model}:generateContent`, {
    method: 'POST',
    headers: { 'x-goog-api-key': fakeGeminiKey, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  const json = (await response.json()) as { error: { status: string; details?: object[] } }
  return { status: response.status, json }
}

const contents = [{ parts: [{ text: prompt }] }]
const picture = (mimeType: string, data = red.toString('base64')) => ({ inlineData: { mimeType, data } })
const withImage = (imageConfig: object) => ({ contents, generationConfig: { imageConfig } })

describe('the fake is strict where Google is', () => {
  it.each<[string, object, string?]>([
    ['an unknown field', { contents, prompt }],
    ['an unknown field deep inside', withImage({ size: '1024x1024' })],
    ['nothing to draw', { contents: [] }],
    ['an empty prompt', { contents: [{ parts: [{ text: ' ' }] }] }],
    ['another role', { contents: [{ role: 'system', parts: [{ text: prompt }] }] }],
    ['a lower-case class', withImage({ imageSize: '2k' })],
    ['a class the model lacks', withImage({ imageSize: '512' }), 'gemini-3-pro-image'],
    ['a class where there is one only', withImage({ imageSize: '1K' }), 'gemini-3.1-flash-lite-image'],
    ['a ratio the model lacks', withImage({ aspectRatio: '8:1' }), 'gemini-3-pro-image'],
    ['a seed beyond int32', { contents, generationConfig: { seed: 4_294_967_295 } }],
    ['two candidates', { contents, generationConfig: { candidateCount: 2 } }],
    ['text alone', { contents, generationConfig: { responseModalities: ['TEXT'] } }],
    ['a GIF', { contents: [{ parts: [{ text: prompt }, picture('image/gif')] }] }],
    ['a picture under a wrong name', { contents: [{ parts: [{ text: prompt }, picture('image/jpeg')] }] }],
    ['base64 that is none', { contents: [{ parts: [{ text: prompt }, picture('image/png', 'no!')] }] }],
    [
      'fifteen pictures',
      { contents: [{ parts: [{ text: prompt }, ...Array(15).fill(picture('image/png'))] }] },
    ],
    ['an unknown harm', { contents, safetySettings: [{ category: 'HARM_CATEGORY_X', threshold: 'OFF' }] }],
    [
      'an unknown threshold',
      { contents, safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'x' }] },
    ],
  ])('and refuses %s', async (_, body, model) => {
    const { status, json } = await post(body, { model })
    expect([status, json.error.status]).toEqual([400, 'INVALID_ARGUMENT'])
  })

  it('names the field in the details', async () => {
    const { json } = await post(withImage({ aspectRatio: '7:5' }))
    const field = 'generation_config.image_config.aspect_ratio'
    expect(json.error.details).toMatchObject([{ fieldViolations: [{ field }] }])
  })

  it('does not know models that are closed', async () => {
    const { status, json } = await post({ contents }, { model: 'gemini-2.5-flash-image' })
    expect([status, json.error.status]).toEqual([404, 'NOT_FOUND'])
  })

  it('does not serve strangers', async () => {
    const { fake } = await start()
    const response = await fetch(`${fake.url}/models/gemini-3.1-flash-image:generateContent`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${fakeGeminiKey}` },
      body: JSON.stringify({ contents }),
    })
    expect(response.status).toBe(403)
  })
})
