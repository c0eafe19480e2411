/** The capability tables and the adapter agree: what a table lets through, the adapter can say and the vendor takes. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type FakeDashScope, startFakeDashScope } from '../../../test/upstreams/dashscope.ts'
import { dashscopeRoutes } from '../../models/catalogue/routes/dashscope.ts'
import { builtInModels } from '../../models/catalogue.ts'
import type { ImageFields } from '../../models/fields.ts'
import { mapFields } from '../../models/map-fields.ts'
import { type ModelRoute, servedBy } from '../../models/model.ts'
import { readSizeText } from '../../models/size-rule.ts'
import { openSampleInputs } from '../testing/sample-inputs.ts'
import { closeOpened, connect } from './testing/connect.ts'

let upstream: FakeDashScope
beforeAll(async () => {
  upstream = await startFakeDashScope({ otherSize: { width: 64, height: 64 } })
})
afterEach(closeOpened)
afterAll(() => upstream.close())

const inputs = await openSampleInputs()

/** The wishes that fit together, as much as the table has. */
function maximal({ fields, imagesPerCall }: ModelRoute): ImageFields[] {
  const { images, imageSize, size, series } = fields
  const can = (name: keyof ImageFields) => fields[name].support !== 'unsupported'
  const everything: ImageFields = {
    n: imagesPerCall,
    seed: fields.seed.range?.max,
    watermark: true,
    ...(can('negativePrompt') ? { negativePrompt: 'boats' } : {}),
    outputFormat: 'webp',
    outputCompression: 80,
  }
  const pictured = { ...everything, ...(images.range ? { images: images.range.max } : {}) }
  const plain = { ...everything, ...(images.required ? { images: 1 } : {}) }
  const wishes: ImageFields[] = [pictured, plain]
  const listed = size.sizes?.kind === 'list' ? size.sizes.sizes : []
  const usual = readSizeText(String(size.default))
  for (const one of [...listed, ...(usual ? [usual] : [])]) wishes.push({ ...pictured, size: one })
  if (can('aspectRatio')) wishes.push({ ...pictured, aspectRatio: '4:3' })
  if (imageSize.support === 'native')
    for (const word of ['1K', '2K', '4K'] as const)
      if (imageSize.values?.includes(word)) wishes.push({ ...plain, imageSize: word })
  if (series.support !== 'unsupported') wishes.push({ ...pictured, n: 1, series: { maxImages: 5 } })
  return wishes
}

describe.each(Object.entries(dashscopeRoutes))('%s', (id, route) => {
  it('is a model that Gesso lists, served here under its own name', () => {
    const model = builtInModels.find((one) => one.id === id)
    expect(model?.routes).toContain(route)
    expect(route.upstreamModel).toBe(id)
  })

  it('takes all that its table promises', async () => {
    const model = builtInModels.find((one) => one.id === id)
    if (!model) throw new Error('it is not listed')
    const provider = connect(upstream.url)
    for (const asked of maximal(route)) {
      const mapped = mapFields(servedBy(model, route), asked, { handling: 'strict' })
      const images = Array.from({ length: mapped.sends.images }, () => inputs.picture('image/jpeg'))
      const { upstreamModel, dialect } = route
      const request = { taskId: 'image_1', model: upstreamModel, dialect, prompt: 'a heron', images }
      const outcome = await provider.start({ ...request, ...mapped.provider }, AbortSignal.timeout(5_000))
      expect(outcome.status, JSON.stringify(asked)).toMatch(/^(completed|pending)$/)
    }
  })
})
