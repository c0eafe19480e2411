import { afterEach, describe, expect, it } from 'vitest'
import { fakeArkKey, startFakeArk } from '../../../test/upstreams/ark.ts'
import { arkRoutes } from '../../models/catalogue/routes/ark.ts'
import { createCatalogue } from '../../models/catalogue.ts'
import type { ImageFields } from '../../models/fields.ts'
import { mapFields } from '../../models/map-fields.ts'
import { type Model, type ModelRoute, servedBy } from '../../models/model.ts'
import { openSampleInputs } from '../testing/sample-inputs.ts'
import { closeOpened, connect, requestFor } from './testing/scripted-ark.ts'

afterEach(closeOpened)

const png = (await openSampleInputs()).picture('image/png')
const catalogue = createCatalogue([])

/** What the table makes of the wishes is taken by the adapter and by the vendor; answers what the vendor was told. */
async function drawn(id: string, route: ModelRoute, wishes: ImageFields): Promise<unknown> {
  const model: Model = { ...catalogue.resolve(id), routes: [route] }
  const mapped = mapFields(servedBy(model, route), wishes, { handling: 'strict' })
  expect(mapped.warnings).toEqual([])
  await using upstream = await startFakeArk({ otherSize: { width: 64, height: 64 } })
  const provider = connect(upstream.url, { apiKey: fakeArkKey })
  const images = Array.from({ length: mapped.sends.images }, () => png)
  const { upstreamModel, dialect } = route
  const request = requestFor({ ...mapped.provider, model: upstreamModel, dialect, images })
  const outcome = await provider.start(request, AbortSignal.timeout(5_000))
  expect(outcome).toMatchObject({ status: 'completed', images: [{}] })
  return upstream.requests[0]?.body
}

/** The wishes that this route honours, at their most. */
function everything({ fields }: ModelRoute): ImageFields {
  return {
    n: 1,
    outputFormat: 'png',
    watermark: true,
    images: fields.images.range?.max,
    ...(fields.goFast.support !== 'unsupported' && { goFast: true }),
    ...(fields.series.support !== 'unsupported' && { series: { maxImages: 1 } }),
  }
}

describe.each(Object.entries(arkRoutes))(
  'what the table of %s lets through, the provider can say:',
  (id, route) => {
    const { sizes } = route.fields.size
    const { minPixels = 0, maxPixels = 0 } = sizes?.kind === 'range' ? sizes : {}

    it('every field at once', async () => {
      const size = { width: 2_560, height: 1_440 }
      const body = await drawn(id, route, { ...everything(route), size })
      expect(body).toMatchObject({
        watermark: true,
        size: '2560x1440',
        image: { length: expect.any(Number) },
      })
    })

    it.each(['1:1', '16:9', '9:16', '21:9', '1:16', '16:1'])('the ratio %s', async (aspectRatio) => {
      const body = await drawn(id, route, { n: 1, aspectRatio })
      expect(body).toMatchObject({ size: expect.stringMatching(/^\d+x\d+$/) })
    })

    it('every resolution class, alone and with a ratio', async () => {
      for (const imageSize of ['1K', '2K', '4K'] as const) {
        if (!route.fields.imageSize.values?.includes(imageSize)) continue
        expect(await drawn(id, route, { n: 1, imageSize })).toMatchObject({ size: imageSize })
        if (imageSize === '2K' || route.upstreamModel.includes('4-0')) {
          const body = await drawn(id, route, { n: 1, imageSize, aspectRatio: '4:3' })
          expect(body).toMatchObject({ size: expect.stringMatching(/^\d+x\d+$/) })
        }
      }
    })

    it('the smallest and the largest square, and nothing beyond', async () => {
      const smallest = Math.ceil(Math.sqrt(minPixels))
      const largest = Math.floor(Math.sqrt(maxPixels))
      for (const edge of [smallest, largest]) {
        const size = { width: edge, height: edge }
        expect(await drawn(id, route, { n: 1, size })).toMatchObject({ size: `${edge}x${edge}` })
      }
      for (const edge of [smallest - 1, largest + 1]) {
        const size = { width: edge, height: edge }
        await expect(drawn(id, route, { n: 1, size })).rejects.toMatchObject({ param: 'size' })
      }
    })
  },
)
