/** The capability tables of FLUX at Black Forest Labs say what the adapter can say, and no more. */
import { Readable } from 'node:stream'
import sharp from 'sharp'
import { afterAll, describe, expect, it } from 'vitest'
import { fakeBflKey, startFakeBfl } from '../../../../test/upstreams/bfl.ts'
import { bfl } from '../../../providers/bfl/bfl.ts'
import { createProviderHttp } from '../../../providers/http.ts'
import type { InputImage } from '../../../providers/provider.ts'
import { openSampleInputs } from '../../../providers/testing/sample-inputs.ts'
import { createCatalogue } from '../../catalogue.ts'
import { type FieldName, fieldNames, type ImageFields } from '../../fields.ts'
import { mapFields } from '../../map-fields.ts'
import { type ModelRoute, servedBy } from '../../model.ts'
import { bflRoutes } from './bfl.ts'

const catalogue = createCatalogue([])
const upstream = await startFakeBfl()
const http = createProviderHttp()
const provider = bfl.create(
  { apiKey: fakeBflKey, baseUrl: upstream.url, timeoutMs: 5_000, maxResponseBytes: 1_000_000 },
  { http, rasterise: () => Promise.reject(new Error('not used')) },
)
afterAll(async () => {
  await http.close()
  await upstream.close()
})

const inputs = await openSampleInputs()
const picture = inputs.picture('image/png')
const white = await sharp({ create: { width: 96, height: 64, channels: 3, background: 'white' } })
  .png()
  .toBuffer()
const mask: InputImage = {
  ...picture,
  sizeBytes: white.length,
  read: async () => white,
  stream: () => Readable.from([white], { objectMode: false }),
}

/** Sends the request as Gesso would, and answers the body that the strict fake has taken. */
async function send(id: string, route: ModelRoute, fields: Partial<ImageFields>): Promise<unknown> {
  const model = servedBy(catalogue.resolve(id), route)
  const mapped = mapFields(model, { n: 1, ...fields }, { handling: 'default' })
  expect(mapped.warnings).toEqual([])
  const request = {
    ...mapped.provider,
    taskId: 'image_1',
    model: route.upstreamModel,
    dialect: route.dialect,
    prompt: 'a heron at dawn',
    images: Array.from({ length: mapped.sends.images }, () => picture),
    ...(mapped.sends.mask ? { mask } : {}),
  }
  const outcome = await provider.start(request, AbortSignal.timeout(5_000))
  expect(outcome).toMatchObject({ status: 'pending', operation: { costMicros: expect.any(Number) } })
  return upstream.requests.at(-1)?.body
}

/** What is asked of a field at its limits, where the model has it. */
const wishes: Partial<Record<FieldName, (route: ModelRoute, end: 'min' | 'max') => Partial<ImageFields>>> = {
  size: (_, end) => ({ size: end === 'min' ? { width: 256, height: 256 } : { width: 1_440, height: 1_440 } }),
  aspectRatio: ({ fields }, end) => ({ aspectRatio: fields.aspectRatio.values?.at(end === 'min' ? 0 : -1) }),
  moderation: () => ({ moderation: 'low' }),
  outputFormat: (_, end) => ({ outputFormat: end === 'min' ? 'jpeg' : 'webp' }),
  seed: (_, end) => ({ seed: end === 'min' ? 0 : 4_294_967_295 }),
  guidance: ({ fields }, end) => ({ guidance: fields.guidance.range?.[end] }),
  steps: ({ fields }, end) => ({ steps: fields.steps.range?.[end] }),
  strength: (_, end) => ({ strength: end === 'min' ? 0 : 1 }),
  style: (_, end) => ({ style: end === 'min' ? 'vivid' : 'natural' }),
  images: ({ fields }, end) => ({ images: fields.images.range?.[end] }),
  mask: () => ({ mask: true }),
}

const done = ['native', 'renamed', 'converted']

describe.each(Object.entries(bflRoutes))('%s', (id, route) => {
  const own = fieldNames.filter((name) => {
    const { support } = route.fields[name]
    // A ratio or a class of a model that takes pixels is a size.
    return (
      done.includes(support) &&
      !['n', 'imageSize'].includes(name) &&
      (support !== 'converted' || name !== 'aspectRatio')
    )
  })

  it('is known by name, by its provider and by its dialect', () => {
    expect(catalogue.resolve(id).routes).toContainEqual(route)
    expect(route.provider).toBe(bfl.id)
    expect(bfl.dialects).toContain(route.dialect)
    expect(route.price?.items[0]).toMatchObject({ per: 'image', micros: expect.any(Number) })
  })

  it.each(['min', 'max'] as const)('may be asked for everything at once: %s', async (end) => {
    const asked = own.map((name) => {
      const wish = wishes[name]
      if (!wish) throw new Error(`no wish for ${name}`)
      return wish(route, end)
    })
    const body = await send(id, route, Object.assign({}, ...asked))
    expect(body).toMatchObject({ prompt: 'a heron at dawn', seed: end === 'min' ? 0 : 4_294_967_295 })
  })

  it('may be asked for nothing beside what it needs', async () => {
    const needed = route.fields.images.required ? { images: 1, mask: true as const } : {}
    const body = Object.keys(Object(await send(id, route, needed)))
    expect(body).not.toContain('seed')
    expect(body).not.toContain('width')
  })
})

describe('sizes', () => {
  const route = (id: string) => bflRoutes[id] ?? expect.fail(id)

  it.each([
    ['flux-2-pro', { aspectRatio: '16:9', imageSize: '2K' }, { width: 2_704, height: 1_520 }],
    ['flux-2-klein-4b', { imageSize: '2K' }, { width: 2_048, height: 2_048 }],
    ['flux-2-max', { size: { width: 64, height: 4_096 } }, { width: 64, height: 4_096 }],
    ['flux-1.1-pro', { aspectRatio: '4:3' }, { width: 1_152, height: 864 }],
    ['flux-1-dev', { imageSize: '512' }, { width: 512, height: 512 }],
    ['flux-kontext-pro', { aspectRatio: '21:9' }, { aspect_ratio: '21:9' }],
  ] as const)('of %s in %j are %j', async (id, asked, said) => {
    expect(await send(id, route(id), asked)).toMatchObject(said)
  })

  it.each([
    ['flux-2-pro', { size: { width: 2_064, height: 2_048 } }, 'size'],
    ['flux-2-pro', { size: { width: 1_000, height: 1_000 } }, 'size'],
    ['flux-2-pro', { imageSize: '4K' }, 'image_size'],
    ['flux-1.1-pro', { size: { width: 1_472, height: 1_024 } }, 'size'],
    ['flux-kontext-pro', { size: { width: 1_024, height: 1_024 } }, 'size'],
    ['flux-1.1-pro-ultra', { aspectRatio: '3:1' }, 'aspect_ratio'],
    ['flux-1.1-pro-ultra', { imageSize: '2K' }, 'image_size'],
    ['flux-2-klein-4b', { images: 5 }, 'image'],
    ['flux-fill-pro', { images: 1 }, 'mask'],
  ] as const)('of %s are never %j', async (id, asked, param) => {
    await expect(send(id, route(id), asked)).rejects.toMatchObject({ attribution: 'client', param })
  })
})
