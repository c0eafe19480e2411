/**
 * The catalogue's tables against the adapter and the fake: what a table lets through, the adapter can say, and the model
 * takes. Every value that a table lists goes over the wire once.
 */
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import {
  type FakeReplicate,
  fakeReplicateKey,
  startFakeReplicate,
} from '../../../test/upstreams/replicate.ts'
import { replicateRoutes } from '../../models/catalogue/routes/replicate.ts'
import { type FieldName, type ImageFields, imageSizes } from '../../models/fields.ts'
import { mapFields } from '../../models/map-fields.ts'
import { type Model, type ModelRoute, servedBy } from '../../models/model.ts'
import { readSizeText } from '../../models/size-rule.ts'
import { createProviderHttp, type ProviderHttp } from '../http.ts'
import type { Provider, ProviderCompleted } from '../provider.ts'
import { openSampleInputs } from '../testing/sample-inputs.ts'
import { replicate } from './replicate.ts'

let upstream: FakeReplicate
let http: ProviderHttp
let provider: Provider
beforeAll(async () => {
  upstream = await startFakeReplicate({ otherSize: { width: 64, height: 64 } })
  http = createProviderHttp()
  provider = replicate.create(
    { baseUrl: upstream.url, apiKey: fakeReplicateKey, timeoutMs: 5_000, maxResponseBytes: 1e6 },
    { http, rasterise: () => Promise.reject(new Error('not used')) },
  )
})
afterAll(() => Promise.all([upstream.close(), http.close()]))

const inputs = await openSampleInputs()

/** Maps the fields as Gesso does, strictly, and sends them. Answers the input that the model was given. */
async function send(route: ModelRoute, asked: Partial<ImageFields>): Promise<Record<string, unknown>> {
  const model: Model = {
    id: route.upstreamModel,
    aliases: [],
    ownedBy: 'somebody',
    created: 0,
    description: '',
    routes: [route],
  }
  const mapped = mapFields(servedBy(model, route), { n: 1, ...asked }, { handling: 'strict' })
  const { upstreamModel, dialect } = route
  const images = Array.from({ length: mapped.sends.images }, () => inputs.picture('image/png'))
  const request = { taskId: 'image_1', model: upstreamModel, prompt: 'a heron', dialect, images }
  const outcome = await provider.start({ ...mapped.provider, ...request }, AbortSignal.timeout(5_000))
  expect(outcome.status).toBe('pending')
  const body = upstream.requests.at(-1)?.body as { input: Record<string, unknown> }
  return body.input
}

const isPassed = (route: ModelRoute, name: FieldName) =>
  ['native', 'renamed', 'converted'].includes(route.fields[name].support)

/** Values at the ends of what the table allows. */
function bounds(route: ModelRoute): Partial<ImageFields>[] {
  const { fields } = route
  const loras = { loraWeights: 'acme/ink', extraLoraWeights: ['acme/paper'] }
  const most = (end: 'min' | 'max'): Partial<ImageFields> => ({
    n: end === 'max' ? route.imagesPerCall : 1,
    seed: fields.seed.range?.[end],
    guidance: fields.guidance.range?.[end],
    steps: fields.steps.range?.[end],
    outputCompression: fields.outputCompression.range?.[end],
    outputFormat: 'webp',
    negativePrompt: 'boats',
    goFast: end === 'max',
    disableSafetyChecker: end === 'max',
    moderation: end === 'max' ? 'low' : 'auto',
    ...loras,
    loraScale: fields.loraScale.range?.[end],
    extraLoraScale: fields.extraLoraScale.range ? [fields.extraLoraScale.range[end]] : undefined,
  })
  const passed = (['min', 'max'] as const).map(
    (end) =>
      Object.fromEntries(
        Object.entries(most(end)).filter(([name]) => isPassed(route, name as FieldName) || name === 'n'),
      ) as Partial<ImageFields>,
  )
  return passed
}

/** Every way to ask for a size. */
function shapes(route: ModelRoute): Partial<ImageFields>[] {
  const { size, aspectRatio, imageSize } = route.fields
  const { sizes } = size
  const listed =
    sizes?.kind === 'list'
      ? sizes.sizes.map(({ width, height }) => ({ width, height }))
      : sizes
        ? [sizes.minEdge, sizes.maxEdge].map((edge) => ({ width: edge, height: edge }))
        : []
  const classes = imageSizes.filter((one) => isPassed(route, 'imageSize') && imageSize.values?.includes(one))
  const ratios = isPassed(route, 'aspectRatio') ? (aspectRatio.values ?? ['16:9']) : []
  const [ratio] = ratios
  const asClass = imageSize.support === 'converted' ? [] : classes
  return [
    ...listed.map((one) => ({ size: one })),
    ...ratios.map((one) => ({ aspectRatio: one })),
    ...asClass.map((one) => ({ imageSize: one })),
    ...(ratio ? asClass.map((one) => ({ imageSize: one, aspectRatio: ratio })) : []),
  ]
}

describe.each(Object.entries(replicateRoutes))('%s', (_, route) => {
  const required = route.fields.images.required ? { images: 1 } : {}

  it('takes all that its table allows, at both ends of every range', async () => {
    for (const asked of bounds(route)) {
      const input = await send(route, { ...asked, ...required })
      expect(input.prompt).toBe('a heron')
    }
  })

  it('takes every shape that its table lists', async () => {
    for (const asked of shapes(route)) await send(route, { ...asked, ...required })
  })

  it('takes every format', async () => {
    for (const outputFormat of ['png', 'jpeg', 'webp', 'avif'] as const) {
      await send(route, { outputFormat, ...required })
    }
  })

  it('draws its default size where nobody names one', () => {
    const { sizes, default: usual } = route.fields.size
    if (!sizes) return expect(usual).toBeUndefined()
    expect(readSizeText(String(usual))).toBeDefined()
  })

  it('takes as many input pictures as its table says, with all that is about them', async () => {
    const { images, strength } = route.fields
    if (!images.range) return expect(images.support).toBe('unsupported')
    const about = strength.range ? { strength: strength.range.max } : {}
    for (const asked of bounds(route)) await send(route, { ...asked, ...about, images: images.range.max })
    expect(upstream.lastPictures()).toHaveLength(images.range.max)
  })
})

test('a dialect and a model of the fake belong to every route', () => {
  const named = Object.values(replicateRoutes).map(({ dialect }) => dialect)
  expect(replicate.dialects).toEqual(expect.arrayContaining(named))
})

test('an edit by FLUX.1 [dev] has the size of its input, and another is refused by name', async () => {
  const route = replicateRoutes['flux-1-dev']
  if (!route) throw new Error('no route')
  for (const asked of [
    { size: { width: 1344, height: 768 } },
    { aspectRatio: '16:9' },
    { imageSize: '512' as const },
  ]) {
    const error = await send(route, { ...asked, images: 1 }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'unsupported_parameter', attribution: 'client' })
  }
})

test('four pictures at once are four pictures', async () => {
  const route = replicateRoutes['qwen-image-2.1-lora']
  if (!route) throw new Error('no route')
  await send(route, { n: 4 })
  const [created] = upstream.requests.filter(({ path }) => path.includes('qwen-image-2.1')).slice(-1)
  expect(created?.body).toMatchObject({ input: { num_outputs: 4 } })
  const outcome = await provider.start(
    { taskId: 'image_1', model: route.upstreamModel, prompt: 'a heron', n: 4 },
    AbortSignal.timeout(5_000),
  )
  if (outcome.status !== 'pending') throw new Error('it is done')
  const done = (await provider.check?.(outcome.operation, AbortSignal.timeout(5_000))) as ProviderCompleted
  expect(done.images).toHaveLength(4)
})
