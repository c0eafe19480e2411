import { afterEach, describe, expect, it } from 'vitest'
import { fakeBflKey, startFakeBfl } from '../../../test/upstreams/bfl.ts'
import type { FakeUpstream } from '../../../test/upstreams/fake-upstream.ts'
import { RecordedFile } from '../../../test/upstreams/recorded-file.ts'
import type { ProviderRequest } from '../provider.ts'
import { type ConformanceWorld, describeProviderConformance } from '../testing/conformance.ts'
import { openSampleInputs } from '../testing/sample-inputs.ts'
import { dialectNames } from './bfl-dialects.ts'
import { closeOpened, connect, requestFor, start } from './testing/scripted-server.ts'

afterEach(closeOpened)

async function conformanceWorld(model: string): Promise<ConformanceWorld> {
  const upstream = await startFakeBfl({ echo: true })
  return {
    provider: connect(upstream.url),
    reopen: () => connect(upstream.url),
    withKey: (key) => connect(upstream.url, key),
    request: (overrides) => requestFor({ model, ...overrides }),
    upstream: {
      play: upstream.play,
      submissions: upstream.submissions,
      foreignRequests: () => upstream.foreignRequests.length,
      lastSubmission: () => [lastOf(upstream)?.path, lastOf(upstream)?.body],
      lastInputs: () => inputsOf(lastOf(upstream)?.body),
    },
    apiKey: fakeBflKey,
    reportsSeed: true,
    maxImagesPerCall: 1,
    close: upstream.close,
  }
}

function lastOf(upstream: FakeUpstream) {
  return upstream.requests.findLast(({ method }) => method === 'POST')
}

function inputsOf(body: unknown): { images: string[]; mask?: string } {
  const { mask, ...others } = (body ?? {}) as Record<string, unknown>
  const images = Object.values(others).filter((value) => value instanceof RecordedFile)
  return {
    images: images.map(({ sha256 }) => sha256),
    ...(mask instanceof RecordedFile ? { mask: mask.sha256 } : {}),
  }
}

describeProviderConformance('bfl, FLUX.2', () => conformanceWorld('flux-2-flex'))
describeProviderConformance('bfl, FLUX.1 Kontext', () => conformanceWorld('flux-kontext-pro'))

const inputs = await openSampleInputs()
const png = inputs.picture('image/png')
const jpeg = inputs.picture('image/jpeg')
const base64 = async (image = png) => (await image.read()).toString('base64')
const size = { width: 1_024, height: 768 }
const everywhere = { seed: 0, outputFormat: 'png', moderation: 'low' } as const
const saidEverywhere = { prompt: 'a heron at dawn', seed: 0, output_format: 'png' }

describe('the request', () => {
  it.each<[string, Partial<ProviderRequest>, Record<string, unknown>]>([
    ['flux-2-pro', { size }, { ...size, disable_pup: true, safety_tolerance: 5 }],
    ['flux-2-pro-preview', {}, { disable_pup: true, safety_tolerance: 5 }],
    ['flux-2-max', { size }, { ...size, disable_pup: true, safety_tolerance: 5 }],
    [
      'flux-2-flex',
      { size, guidance: 4.5, steps: 6 },
      { ...size, guidance: 4.5, steps: 6, prompt_upsampling: false, safety_tolerance: 5 },
    ],
    ['flux-2-klein-4b', { size }, { ...size, safety_tolerance: 5 }],
    ['flux-2-klein-9b', { size }, { ...size, safety_tolerance: 5 }],
    [
      'flux-kontext-max',
      { aspectRatio: '21:9' },
      { aspect_ratio: '21:9', prompt_upsampling: false, safety_tolerance: 6 },
    ],
    ['flux-pro-1.1', { size }, { ...size, prompt_upsampling: false, safety_tolerance: 6 }],
    [
      'flux-pro-1.1-ultra',
      { aspectRatio: '9:21', style: 'natural' },
      { aspect_ratio: '9:21', raw: true, prompt_upsampling: false, safety_tolerance: 6 },
    ],
    [
      'flux-dev',
      { size, guidance: 3.5, steps: 28 },
      { ...size, guidance: 3.5, steps: 28, prompt_upsampling: false, safety_tolerance: 6 },
    ],
  ])('to %s says all it was given, and that the prompt stays as it is', async (model, wishes, said) => {
    const { seen } = await start({ reply: 'accepted.json' }, { model, ...everywhere, ...wishes })
    expect(seen).toEqual([
      {
        method: 'POST',
        path: `/v1/${model}`,
        headers: expect.objectContaining({ 'x-key': fakeBflKey, 'content-type': 'application/json' }),
        body: { ...saidEverywhere, ...said },
      },
    ])
  })

  it.each([
    ['flux-2-pro', 8, 'input_image'],
    ['flux-2-klein-4b', 4, 'input_image'],
    ['flux-kontext-pro', 4, 'input_image'],
    ['flux-pro-1.1', 1, 'image_prompt'],
    ['flux-dev', 1, 'image_prompt'],
  ])('to %s has %i pictures as bare base64, and no more', async (model, count, name) => {
    const images = Array.from({ length: count }, (_, index) => (index % 2 === 0 ? png : jpeg))
    const { seen } = await start({ reply: 'accepted.json' }, { model, images })
    const names = images.map((_, index) => (index === 0 ? name : `${name}_${index + 1}`))
    const sent = await Promise.all(images.map(async (image, index) => [names[index], await base64(image)]))
    expect(seen[0]?.body).toMatchObject(Object.fromEntries(sent))
    const more = await start({ reply: 'accepted.json' }, { model, images: [...images, png] })
    expect(more.outcome).toMatchObject({ code: 'unsupported_parameter', param: 'image', dispatched: 'no' })
    expect(more.seen).toEqual([])
  })

  it.each([
    [0, 1],
    [0.3, 0.7],
    [1, 0],
  ])('to FLUX 1.1 ultra turns the strength %d into the pull of the picture, %d', async (strength, pull) => {
    const { seen } = await start(
      { reply: 'accepted.json' },
      { model: 'flux-pro-1.1-ultra', images: [png], strength },
    )
    const body = { prompt: 'a heron at dawn', prompt_upsampling: false, image_prompt_strength: pull }
    expect(seen[0]?.body).toEqual({ ...body, image_prompt: await base64() })
  })

  it('to FLUX.1 Fill has the picture and the mask as they are', async () => {
    const mask = inputs.mask()
    const wishes = { ...everywhere, guidance: 60, steps: 50, images: [jpeg], mask }
    const { seen } = await start({ reply: 'accepted.json' }, { model: 'flux-pro-1.0-fill', ...wishes })
    expect(seen[0]?.body).toEqual({
      ...saidEverywhere,
      guidance: 60,
      steps: 50,
      safety_tolerance: 6,
      prompt_upsampling: false,
      image: await base64(jpeg),
      mask: await base64(mask),
    })
  })

  it('holds nothing that was not given, and leaves the moderation alone where it is to be as usual', async () => {
    const { seen } = await start({ reply: 'accepted.json' }, { moderation: 'auto', images: [] })
    expect(seen[0]?.body).toEqual({ prompt: 'a heron at dawn', disable_pup: true })
  })

  it.each<[string, Partial<ProviderRequest>]>([
    ['n', { n: 2 }],
    ['mask', { images: [png], mask: inputs.mask() }],
    ['mask', { model: 'flux-pro-1.0-fill', images: [png] }],
    ['image', { model: 'flux-pro-1.0-fill', mask: inputs.mask() }],
    ['size', { model: 'flux-kontext-pro', size }],
    ['size', { model: 'flux-pro-1.0-fill', images: [png], mask: inputs.mask(), size }],
    ['aspect_ratio', { aspectRatio: '3:2' }],
    ['output_format', { outputFormat: 'avif' }],
    ['moderation', { moderation: 'high' }],
    ['style', { model: 'flux-pro-1.1-ultra', style: 'gloomy' }],
    ['style', { style: 'vivid' }],
    ['strength', { model: 'flux-pro-1.1-ultra', strength: 0.5 }],
    ['strength', { images: [png], strength: 0.5 }],
    ['guidance', { guidance: 3 }],
    ['num_inference_steps', { model: 'flux-2-klein-4b', steps: 4 }],
    ['negative_prompt', { negativePrompt: 'boats' }],
    ['lora_weights', { loraWeights: 'acme/ink' }],
    ['watermark', { watermark: false }],
  ])('that cannot say %s is refused before anything is sent', async (param, overrides) => {
    const { outcome, seen } = await start({ reply: 'accepted.json' }, overrides)
    const refusal = {
      code: 'unsupported_parameter',
      attribution: 'client',
      dispatched: 'no',
      retryable: false,
    }
    expect(outcome).toMatchObject({ ...refusal, param })
    expect(seen).toEqual([])
  })

  it.each(dialectNames)('in the dialect %s goes to a model of any name', async (dialect) => {
    const images = dialect.endsWith('fill') ? { images: [png], mask: inputs.mask() } : {}
    const { seen } = await start({ reply: 'accepted.json' }, { model: 'acme/our model', dialect, ...images })
    expect(seen[0]?.path).toBe('/v1/acme/our%20model')
  })

  it('in an unknown dialect is refused before anything is sent', async () => {
    const { outcome, seen } = await start({ reply: 'accepted.json' }, { dialect: 'constructor' })
    expect(outcome).toMatchObject({ code: 'internal_error', attribution: 'platform', dispatched: 'no' })
    expect(seen).toEqual([])
  })

  it('is not made without a key', async () => {
    const starting = connect(undefined, '').start(requestFor(), AbortSignal.timeout(1_000))
    await expect(starting).rejects.toMatchObject({ code: 'provider_not_configured', dispatched: 'no' })
  })
})
