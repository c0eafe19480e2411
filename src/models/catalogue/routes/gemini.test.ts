/** The capability tables of Gemini's models say what the adapter can say, and no more. */
import { afterAll, describe, expect, it } from 'vitest'
import { fakeGeminiKey, startFakeGemini } from '../../../../test/upstreams/gemini.ts'
import { gemini } from '../../../providers/gemini/gemini.ts'
import { createProviderHttp } from '../../../providers/http.ts'
import { openSampleInputs } from '../../../providers/testing/sample-inputs.ts'
import { createCatalogue } from '../../catalogue.ts'
import type { ImageFields } from '../../fields.ts'
import { mapFields } from '../../map-fields.ts'
import { type ModelRoute, servedBy } from '../../model.ts'
import { classOf } from '../../ratio.ts'
import { geminiRoutes } from './gemini.ts'

const catalogue = createCatalogue([])
const upstream = await startFakeGemini({ otherSize: { width: 16, height: 16 } })
const http = createProviderHttp()
const provider = gemini.create(
  { apiKey: fakeGeminiKey, baseUrl: upstream.url, timeoutMs: 5_000, maxResponseBytes: 1_000_000 },
  { http, rasterise: () => Promise.reject(new Error('not used')) },
)
const inputs = await openSampleInputs()
afterAll(async () => {
  await http.close()
  await upstream.close()
})

/** Sends the request as Gesso would, and answers the `imageConfig` that reached the strict fake. */
async function send(id: string, route: ModelRoute, fields: Partial<ImageFields>) {
  const model = servedBy(catalogue.resolve(id), route)
  const mapped = mapFields(model, { n: 1, ...fields }, { handling: 'default' })
  const images = Array.from({ length: mapped.sends.images }, () => inputs.picture('image/png'))
  const request = {
    ...mapped.provider,
    taskId: 'image_1',
    model: route.upstreamModel,
    dialect: route.dialect,
    prompt: 'a heron at dawn',
    images,
  }
  await expect(provider.start(request, AbortSignal.timeout(5_000))).resolves.toMatchObject({
    status: 'completed',
  })
  const body = upstream.requests.at(-1)?.body as { generationConfig: { imageConfig?: object } }
  return body.generationConfig.imageConfig ?? {}
}

describe.each(Object.entries(geminiRoutes))('%s', (id, route) => {
  const { size, aspectRatio, imageSize, images, seed } = route.fields

  it('is known by the dialects of its provider', () => {
    expect(gemini.dialects).toContain(route.dialect)
    expect(route.provider).toBe(gemini.id)
  })

  it('may be asked for everything at once, up to its limits', async () => {
    await send(id, route, {
      aspectRatio: aspectRatio.values?.at(-1),
      imageSize: imageSize.values?.includes('4K') ? '4K' : '1K',
      outputFormat: 'webp',
      outputCompression: 50,
      seed: seed.range?.max,
      moderation: 'low',
      disableSafetyChecker: true,
      watermark: true,
      images: images.range?.max,
    })
  })

  it('draws every ratio in every class that it lists', async () => {
    for (const ratio of aspectRatio.values ?? []) {
      const config = await send(id, route, { aspectRatio: ratio, imageSize: '1K' })
      expect(config).toMatchObject({ aspectRatio: ratio })
    }
    for (const word of imageSize.values ?? []) await send(id, route, { imageSize: word as '1K' })
  })

  it('draws every size that it lists, in the class that its pixels are of', async () => {
    const listed = size.sizes?.kind === 'list' ? size.sizes.sizes : []
    expect(listed.length).toBeGreaterThan(9)
    for (const { width, height, drawnAs } of listed) {
      const config = await send(id, route, { size: { width, height } })
      const drawn = drawnAs ?? { width, height }
      expect(config).toMatchObject({ aspectRatio: expect.any(String) })
      if ('imageSize' in config) expect(config.imageSize).toBe(classOf(drawn))
    }
  })

  it('has a price for every class', () => {
    const priced = route.price?.items.flatMap((item) =>
      item.per === 'image' && item.imageSize ? [item.imageSize] : [],
    )
    expect(priced).toEqual(imageSize.values)
  })

  it('costs the same by pixels as by the class of these pixels', () => {
    const items = (route.price?.items ?? []).filter((item) => item.per === 'image')
    const listed = size.sizes?.kind === 'list' ? size.sizes.sizes : []
    for (const one of listed) {
      const drawn = one.drawnAs ?? one
      const pixels = drawn.width * drawn.height
      const byPixels = items.find(
        ({ imageSize: named, upToPixels = Number.POSITIVE_INFINITY }) => !named && pixels <= upToPixels,
      )
      const byClass = items.find(({ imageSize: named }) => named === classOf(drawn))
      expect([pixels, byPixels?.micros]).toEqual([pixels, byClass?.micros])
    }
  })
})

describe('the closed model', () => {
  it('keeps its old sizes, which are never scaled up', () => {
    const { size, images, imageSize } = geminiRoutes['gemini-2.5-flash-image']?.fields ?? {}
    const listed = size?.sizes?.kind === 'list' ? size.sizes.sizes : []
    expect(listed).toContainEqual({ width: 1344, height: 768, drawnAs: { width: 1376, height: 768 } })
    for (const { width, height, drawnAs } of listed) {
      expect([drawnAs?.width ?? width, drawnAs?.height ?? height]).toSatisfy(
        ([drawnWidth, drawnHeight]: [number, number]) => drawnWidth >= width && drawnHeight >= height,
      )
    }
    expect([images?.range?.max, imageSize?.values]).toEqual([3, ['1K']])
  })

  it('is drawn by its successor, whose price it has', () => {
    const { upstreamModel, price } = geminiRoutes['gemini-2.5-flash-image'] ?? {}
    expect(upstreamModel).toBe('gemini-3.1-flash-image')
    expect(price?.items[0]).toEqual({ per: 'image', micros: 67_000, imageSize: '1K' })
  })
})
