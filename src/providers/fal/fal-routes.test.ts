/** The capability tables and the dialects agree: what a table lets through, the adapter can say, and fal takes it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FakeFal, fakeFalKey, startFakeFal } from '../../../test/upstreams/fal.ts'
import { falRoutes } from '../../models/catalogue/routes/fal.ts'
import { builtInModels } from '../../models/catalogue.ts'
import { fieldCatalogue, fieldNames, type ImageFields } from '../../models/fields.ts'
import { mapFields } from '../../models/map-fields.ts'
import { type ModelRoute, servedBy } from '../../models/model.ts'
import type { Provider, ProviderCompleted } from '../provider.ts'
import { openSampleInputs } from '../testing/sample-inputs.ts'
import { closeOpened, connect, signal } from './testing/scripted-fal.ts'

let fake: FakeFal
let provider: Provider
beforeAll(async () => {
  fake = await startFakeFal({ otherSize: { width: 64, height: 64 } })
  provider = connect(fake.url, { apiKey: fakeFalKey })
})
afterAll(async () => {
  await closeOpened()
  await fake.close()
})

/** A value for every field, within the route's own limits. */
function maximal({ fields }: ModelRoute, isEdit: boolean): ImageFields {
  const wishes: Required<Omit<ImageFields, 'complexity' | 'markup'>> = {
    n: 1,
    size: { width: 1_024, height: 768 },
    aspectRatio: '4:3',
    imageSize: '1K',
    quality: 'high',
    style: 'vivid',
    background: 'opaque',
    moderation: 'low',
    outputFormat: 'png',
    outputCompression: 100,
    seed: 4_294_967_295,
    negativePrompt: 'boats',
    guidance: fields.guidance.range?.max ?? 7.5,
    steps: fields.steps.range?.max ?? 17,
    strength: fields.strength.range?.min ?? 0.25,
    goFast: true,
    disableSafetyChecker: true,
    loraWeights: 'acme/watercolour',
    loraScale: 4,
    extraLoraWeights: ['acme/ink', 'acme/paper'],
    extraLoraScale: [0, 1.5],
    images: fields.images.range?.max ?? 1,
    mask: true,
    inputFidelity: 'high',
    watermark: true,
    series: { maxImages: 3 },
    safetyIdentifier: 'user-1',
  }
  const aboutPictures = ['images', 'mask', 'strength', 'inputFidelity']
  const has = fieldNames.filter((name) => fields[name].support !== 'unsupported')
  const asked = has.filter((name) => isEdit || !aboutPictures.includes(name))
  return { n: 1, ...Object.fromEntries(asked.map((name) => [name, wishes[name as keyof typeof wishes]])) }
}

const sample = await openSampleInputs()

async function run(id: string, isEdit: boolean, without: readonly (keyof ImageFields)[] = []) {
  const [model, route] = [builtInModels.find((one) => one.id === id), falRoutes[id]]
  if (!model || !route) throw new Error(`there is no ${id}`)
  const asked = maximal(route, isEdit)
  for (const name of without) delete asked[name]
  const mapped = mapFields(servedBy(model, route), asked, { handling: 'default' })
  const images = Array.from({ length: mapped.sends.images }, () => sample.picture('image/png'))
  const { upstreamModel, dialect } = route
  const started = await provider.start(
    {
      ...mapped.provider,
      taskId: 'image_1',
      model: upstreamModel,
      dialect,
      prompt: 'a heron at dawn',
      images,
      mask: mapped.sends.mask ? sample.mask() : undefined,
    },
    signal(),
  )
  if (started.status === 'completed') throw new Error('fal always answers later')
  const done = (await provider.check?.(started.operation, signal())) as ProviderCompleted
  return { done, mapped, request: fake.requests.findLast(({ method }) => method === 'POST') }
}

const edits = Object.keys(falRoutes).filter((id) => falRoutes[id]?.fields.images.support !== 'unsupported')
const generations = Object.keys(falRoutes).filter((id) => !falRoutes[id]?.fields.images.required)

describe('everything that the table of a model lets through', () => {
  it.each(generations)('goes on the wire in a generation with %s, and is taken', async (id) => {
    const { done, request } = await run(id, false)
    expect(done.images).toHaveLength(1)
    expect(request?.path).toBe(
      `/${falRoutes[id]?.upstreamModel}${id.startsWith('flux-kontext') ? '/text-to-image' : ''}`,
    )
  })

  it.each(edits)('goes on the wire in an edit with %s, and is taken', async (id) => {
    // With a picture, FLUX.1 [dev] draws no other size.
    const { done } = await run(id, true, id === 'flux-1-dev' ? ['size', 'aspectRatio', 'imageSize'] : [])
    expect(done.images).toHaveLength(1)
  })

  it('but the size of an edit with FLUX.1 [dev], which is refused by name', async () => {
    await expect(run('flux-1-dev', true)).rejects.toMatchObject({
      code: 'unsupported_parameter',
      param: 'size',
    })
  })

  it.each(Object.entries(falRoutes))('and nothing else: %s', async (id, route) => {
    const model = builtInModels.find((one) => one.id === id)
    if (!model) throw new Error(`there is no ${id}`)
    for (const name of ['quality', 'style', 'inputFidelity', 'safetyIdentifier'] as const) {
      const asked = {
        n: 1,
        images: route.fields.images.required ? 1 : undefined,
        mask: undefined,
        [name]: 'high',
      }
      const required = route.fields.mask.required ? { mask: true as const } : {}
      const { provider: fields, warnings } = mapFields(
        servedBy(model, route),
        { ...asked, ...required },
        { handling: 'default' },
      )
      expect(fields).not.toHaveProperty(name)
      expect(warnings.map(({ param }) => param)).toContain(fieldCatalogue[name].publicName)
    }
  })
})

describe('the prices', () => {
  it.each(Object.entries(falRoutes))('of %s are those of its endpoint', (_, { upstreamModel, price }) => {
    expect(price?.source).toBe(`https://fal.ai/models/${upstreamModel}`)
  })

  it('of a megapixel count one that is begun as a whole', () => {
    expect(falRoutes['flux-1-schnell']?.price?.items).toEqual([
      { per: 'megapixel', micros: 3_000, begun: true },
    ])
  })
})
