import { createHash } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { fakeGeminiKey, startFakeGemini } from '../../../test/upstreams/gemini.ts'
import type { ProviderRequest } from '../provider.ts'
import { type ConformanceWorld, describeProviderConformance } from '../testing/conformance.ts'
import { openSampleInputs } from '../testing/sample-inputs.ts'
import { gemini } from './gemini.ts'
import { call, closeOpened, connect, requestFor } from './testing/gemini-call.ts'

afterEach(closeOpened)

async function conformanceWorld(model: string): Promise<ConformanceWorld> {
  const upstream = await startFakeGemini({ echo: true, otherSize: { width: 256, height: 256 }, drafts: true })
  return {
    provider: connect(upstream.url, fakeGeminiKey, 1_000),
    withKey: (key) => connect(upstream.url, key, 1_000),
    request: (overrides) => requestFor({ model, ...overrides }),
    upstream: {
      play: upstream.play,
      submissions: upstream.submissions,
      foreignRequests: () => upstream.foreignRequests.length,
      lastSubmission: () => [upstream.requests.at(-1)?.path, upstream.requests.at(-1)?.body],
      lastInputs: () => ({ images: checksums(upstream.requests.at(-1)?.body) }),
    },
    apiKey: fakeGeminiKey,
    reportsSeed: false,
    maxImagesPerCall: 1,
    close: upstream.close,
  }
}

/** SHA-256 of every picture of the body, in order. */
function checksums(body: unknown): string[] {
  const texts = [...JSON.stringify(body).matchAll(/"data":"([^"]+)"/g)]
  return texts.map(([, base64 = '']) =>
    createHash('sha256').update(Buffer.from(base64, 'base64')).digest('hex'),
  )
}

describeProviderConformance('gemini', () => conformanceWorld('gemini-3.1-flash-image'))
describeProviderConformance('gemini, lite', () => conformanceWorld('gemini-3.1-flash-lite-image'))

const inputs = await openSampleInputs()

describe('the request', () => {
  it('says all it was given, with the key in a header and never in the address', async () => {
    const { requests } = await call({
      aspectRatio: '16:9',
      imageSize: '2K',
      seed: 7,
      moderation: 'low',
      images: [inputs.picture('image/jpeg'), inputs.picture('image/png')],
    })
    const base64 = async (type: 'image/jpeg' | 'image/png') =>
      (await inputs.picture(type).read()).toString('base64')
    const threshold = 'BLOCK_ONLY_HIGH'
    expect(requests).toEqual([
      {
        method: 'POST',
        path: '/v1beta/models/gemini-3.1-flash-image:generateContent',
        headers: expect.objectContaining({ 'x-goog-api-key': fakeGeminiKey }),
        body: {
          contents: [
            {
              role: 'user',
              parts: [
                { text: 'a heron at dawn' },
                { inlineData: { mimeType: 'image/jpeg', data: await base64('image/jpeg') } },
                { inlineData: { mimeType: 'image/png', data: await base64('image/png') } },
              ],
            },
          ],
          generationConfig: {
            responseModalities: ['IMAGE'],
            imageConfig: { aspectRatio: '16:9', imageSize: '2K' },
            seed: 7,
          },
          safetySettings: [
            { category: 'HARM_CATEGORY_HARASSMENT', threshold },
            { category: 'HARM_CATEGORY_HATE_SPEECH', threshold },
            { category: 'HARM_CATEGORY_SEXUALLY_EXPLICIT', threshold },
            { category: 'HARM_CATEGORY_DANGEROUS_CONTENT', threshold },
          ],
        },
      },
    ])
    expect(requests[0]?.headers).not.toHaveProperty('authorization')
  })

  it('without options names the class that the price hangs on, and nothing else', async () => {
    const { requests } = await call()
    const imageConfig = { imageSize: '1K' }
    expect(requests[0]?.body).toEqual({
      contents: [{ role: 'user', parts: [{ text: 'a heron at dawn' }] }],
      generationConfig: { responseModalities: ['IMAGE'], imageConfig },
    })
  })

  it.each([
    ['gemini-3.1-flash-lite-image', undefined],
    ['gemini-3.1-flash-image', 'gemini-2.5-flash'],
  ])('to a model with one class (%s, dialect %s) has no imageSize', async (model, dialect) => {
    const { requests } = await call({ model, dialect, imageSize: '1K', aspectRatio: '1:1' })
    expect(requests[0]?.body).toMatchObject({
      generationConfig: { responseModalities: ['IMAGE'], imageConfig: { aspectRatio: '1:1' } },
    })
    expect(JSON.stringify(requests[0]?.body)).not.toContain('imageSize')
    const { requests: bare } = await call({ model, dialect })
    expect(bare[0]?.body).toMatchObject({ generationConfig: { responseModalities: ['IMAGE'] } })
    expect(JSON.stringify(bare[0]?.body)).not.toContain('imageConfig')
  })

  it.each([
    [
      { width: 1376, height: 768 },
      { aspectRatio: '16:9', imageSize: '1K' },
    ],
    [
      { width: 4096, height: 4096 },
      { aspectRatio: '1:1', imageSize: '4K' },
    ],
    [
      { width: 424, height: 632 },
      { aspectRatio: '2:3', imageSize: '512' },
    ],
    [
      { width: 1536, height: 12288 },
      { aspectRatio: '1:8', imageSize: '4K' },
    ],
    [
      { width: 6336, height: 2688 },
      { aspectRatio: '21:9', imageSize: '4K' },
    ],
  ])('puts %j as %j', async (size, imageConfig) => {
    const { requests } = await call({ size })
    expect(requests[0]?.body).toMatchObject({ generationConfig: { imageConfig } })
  })

  it('draws exactly the size that was translated', async () => {
    const { outcome } = await call({ size: { width: 848, height: 1264 } }, { otherSize: undefined })
    if (!('images' in outcome)) throw outcome
    const [image] = outcome.images
    if (image?.source.kind !== 'bytes') throw new Error('no bytes')
    expect([image.source.bytes.readUInt32BE(16), image.source.bytes.readUInt32BE(20)]).toEqual([848, 1264])
  })

  it('lets the switch win over the tolerance, and says neither when both are at their default', async () => {
    const off = await call({ disableSafetyChecker: true, moderation: 'low' })
    const thresholds = JSON.stringify(off.requests[0]?.body).match(/BLOCK_\w+/g)
    expect(thresholds).toEqual(['BLOCK_NONE', 'BLOCK_NONE', 'BLOCK_NONE', 'BLOCK_NONE'])
    const on = await call({ disableSafetyChecker: false, moderation: 'auto' })
    expect(on.requests[0]?.body).not.toHaveProperty('safetySettings')
  })

  it('to a tuned model keeps its collection', async () => {
    const { requests } = await call({ model: 'tunedModels/my model' })
    expect(requests[0]?.path).toBe('/v1beta/tunedModels/my%20model:generateContent')
  })

  it.each<[string, Partial<ProviderRequest>]>([
    ['n', { n: 2 }],
    ['size', { size: { width: 1024, height: 768 } }],
    // What Google prints for 21:9 at 512 is no such ratio, and what is drawn nobody knows.
    ['size', { size: { width: 792, height: 336 } }],
    ['size', { size: { width: 1024, height: 1024 }, aspectRatio: '16:9' }],
    ['size', { size: { width: 1024, height: 1024 }, imageSize: '4K' }],
    ['size', { size: { width: 2048, height: 512 }, model: 'gemini-3-pro-image' }],
    ['size', { size: { width: 512, height: 512 }, model: 'gemini-3-pro-image' }],
    ['aspect_ratio', { aspectRatio: '7:5' }],
    ['aspect_ratio', { aspectRatio: '8:1', model: 'gemini-3-pro-image' }],
    ['image_size', { imageSize: '2k' }],
    ['image_size', { imageSize: '512', model: 'gemini-3-pro-image' }],
    ['image_size', { imageSize: '2K', model: 'gemini-3.1-flash-lite-image' }],
    ['image_size', { imageSize: '2K', dialect: 'gemini-2.5-flash' }],
    ['image_size', { imageSize: 'optimize_for_speed' }],
    ['seed', { seed: 2_147_483_648 }],
    ['moderation', { moderation: 'strict' }],
    ['mask', { images: [inputs.picture('image/png')], mask: inputs.mask() }],
    ['image', { images: Array.from({ length: 15 }, () => inputs.picture('image/png')) }],
    [
      'image',
      { dialect: 'gemini-2.5-flash', images: Array.from({ length: 4 }, () => inputs.picture('image/png')) },
    ],
    ['quality', { quality: 'high' }],
    ['output_format', { outputFormat: 'png' }],
    ['watermark', { watermark: false }],
    ['negative_prompt', { negativePrompt: 'boats' }],
    ['sequential_image_generation', { series: {} }],
  ])('that cannot say %s (%j) is refused before anything is sent', async (param, overrides) => {
    const { outcome, requests } = await call(overrides)
    const refusal = {
      code: 'unsupported_parameter',
      attribution: 'client',
      dispatched: 'no',
      retryable: false,
    }
    expect(outcome).toMatchObject({ ...refusal, param })
    expect(requests).toEqual([])
  })

  it('in an unknown dialect is refused before anything is sent', async () => {
    const { outcome, requests } = await call({ dialect: 'klingon' })
    expect(outcome).toMatchObject({ code: 'internal_error', dispatched: 'no' })
    expect(requests).toEqual([])
  })

  it('takes fourteen pictures', async () => {
    const images = Array.from({ length: 14 }, () => inputs.picture('image/webp'))
    expect((await call({ images })).outcome).toMatchObject({ status: 'completed' })
  })

  it('to Google itself is not made without a key; elsewhere it has no header then', async () => {
    const start = connect(undefined, '').start(requestFor(), AbortSignal.timeout(1_000))
    await expect(start).rejects.toMatchObject({ code: 'provider_not_configured', dispatched: 'no' })
    const { outcome, requests } = await call({}, { apiKey: '' })
    expect(requests[0]?.headers).not.toHaveProperty('x-goog-api-key')
    expect(outcome).toMatchObject({ code: 'upstream_failed', attribution: 'platform', dispatched: 'no' })
  })

  it('can be in any dialect that the definition names', () => {
    expect(gemini.dialects).toEqual([
      'gemini-3.1-flash',
      'gemini-3.1-flash-lite',
      'gemini-3-pro',
      'gemini-2.5-flash',
    ])
  })
})
