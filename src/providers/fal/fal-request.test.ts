import { afterEach, describe, expect, it } from 'vitest'
import type { Provider, ProviderRequest } from '../provider.ts'
import { openSampleInputs } from '../testing/sample-inputs.ts'
import { closeOpened, connect, errorOf, key, openScript, requestFor, signal } from './testing/scripted-fal.ts'

afterEach(closeOpened)

const inputs = await openSampleInputs()
const png = inputs.picture('image/png')
const jpeg = inputs.picture('image/jpeg')
const dataUri = async (image = png) =>
  `data:${image.mediaType};base64,${(await image.read()).toString('base64')}`
const submitted = { reply: 'submitted.json' }

/** What the request becomes. */
async function send(overrides: Partial<ProviderRequest>) {
  const { url, seen } = await openScript([submitted])
  await connect(url).start(requestFor(overrides), signal())
  return seen[0]
}

/** What is refused before anything is sent. */
async function refused(overrides: Partial<ProviderRequest>) {
  const { url, seen } = await openScript([])
  const error = await errorOf(connect(url).start(requestFor(overrides), signal()))
  expect(seen).toEqual([])
  return error
}

describe('a submission', () => {
  it('goes to the queue with the key, forbids repetitions and other models, and lets fal keep the result', async () => {
    const seen = await send({})
    expect([seen?.method, seen?.path]).toEqual(['POST', '/fal-ai/flux/schnell'])
    expect(seen?.headers).toMatchObject({
      authorization: `Key ${key}`,
      'x-fal-no-retry': '1',
      'x-app-fal-disable-fallback': '1',
    })
    expect(seen?.headers).not.toHaveProperty('x-fal-store-io')
    expect(seen?.body).toEqual({
      prompt: 'a heron at dawn',
      num_images: 1,
      sync_mode: false,
      enable_safety_checker: true,
    })
  })

  it('says where the end of the work may be told', async () => {
    const seen = await send({ webhookUrl: 'https://gesso.test/hooks/fal?task=1&x=ü' })
    expect(seen?.path).toBe(
      '/fal-ai/flux/schnell?fal_webhook=https%3A%2F%2Fgesso.test%2Fhooks%2Ffal%3Ftask%3D1%26x%3D%C3%BC',
    )
  })

  it('to a server without a key has no Authorization', async () => {
    const { url, seen } = await openScript([submitted])
    await connect(url, { apiKey: '' }).start(requestFor(), signal())
    expect(seen[0]?.headers).not.toHaveProperty('authorization')
  })

  it('without a key never reaches fal', async () => {
    const error = await errorOf(connect(undefined, { apiKey: '' }).start(requestFor(), signal()))
    expect(error).toMatchObject({ code: 'provider_not_configured', dispatched: 'no' })
  })
})

describe('what is said, in each dialect', () => {
  it('FLUX.1 [dev] with everything', async () => {
    const seen = await send({
      model: 'fal-ai/flux/dev',
      n: 4,
      size: { width: 1_536, height: 1_024 },
      seed: 0,
      guidance: 3.5,
      steps: 28,
      outputFormat: 'png',
      goFast: true,
      disableSafetyChecker: true,
    })
    expect(seen?.body).toEqual({
      prompt: 'a heron at dawn',
      num_images: 4,
      sync_mode: false,
      image_size: { width: 1_536, height: 1_024 },
      seed: 0,
      guidance_scale: 3.5,
      num_inference_steps: 28,
      output_format: 'png',
      acceleration: 'high',
      enable_safety_checker: false,
    })
  })

  it('FLUX.1 [dev] with a picture goes to another endpoint', async () => {
    const seen = await send({ model: 'fal-ai/flux/dev', images: [png], strength: 0.4 })
    expect(seen?.path).toBe('/fal-ai/flux/dev/image-to-image')
    expect(seen?.body).toMatchObject({ image_url: await dataUri(), strength: 0.4 })
    const named = await send({ model: 'fal-ai/flux/dev/image-to-image', images: [png] })
    expect(named?.path).toBe('/fal-ai/flux/dev/image-to-image')
  })

  it('FLUX1.1 [pro] ultra takes a ratio, no prompt of its own making, and the opposite of a strength', async () => {
    const seen = await send({
      model: 'fal-ai/flux-pro/v1.1-ultra',
      aspectRatio: '21:9',
      moderation: 'low',
      images: [jpeg],
      strength: 0.9,
    })
    expect(seen?.body).toEqual({
      prompt: 'a heron at dawn',
      num_images: 1,
      sync_mode: false,
      enhance_prompt: false,
      raw: false,
      aspect_ratio: '21:9',
      safety_tolerance: '6',
      image_url: await dataUri(jpeg),
      image_prompt_strength: 0.1,
    })
  })

  it('Kontext has an endpoint for none, one and several pictures', async () => {
    const model = 'fal-ai/flux-pro/kontext/max'
    expect((await send({ model }))?.path).toBe(`/${model}/text-to-image`)
    const one = await send({ model, images: [png] })
    expect([one?.path, one?.body]).toEqual([
      `/${model}`,
      expect.objectContaining({ image_url: await dataUri() }),
    ])
    const two = await send({ model, images: [jpeg, png] })
    expect(two?.path).toBe(`/${model}/multi`)
    expect(two?.body).toMatchObject({ image_urls: [await dataUri(jpeg), await dataUri()] })
  })

  it('Fill takes the picture and the mask as they are', async () => {
    const mask = inputs.mask()
    const seen = await send({ model: 'fal-ai/flux-pro/v1/fill', images: [png], mask })
    expect(seen?.body).toMatchObject({ image_url: await dataUri(), mask_url: await dataUri(mask) })
  })

  it('FLUX.2 [pro] makes one picture, lists its pictures, and has both a switch and levels', async () => {
    const model = 'fal-ai/flux-2-pro'
    const seen = await send({ model, images: [png], moderation: 'low', disableSafetyChecker: true })
    expect([seen?.path, seen?.body]).toEqual([
      '/fal-ai/flux-2-pro/edit',
      {
        prompt: 'a heron at dawn',
        sync_mode: false,
        image_urls: [await dataUri()],
        safety_tolerance: '5',
        enable_safety_checker: false,
      },
    ])
    expect(await refused({ model, n: 2 })).toMatchObject({ param: 'n' })
  })

  it('Qwen-Image merges LoRAs, and is quick without harm to its lettering', async () => {
    const seen = await send({
      model: 'fal-ai/qwen-image',
      goFast: true,
      negativePrompt: 'boats',
      loraWeights: 'acme/ink',
      extraLoraWeights: ['https://acme.test/a.safetensors', 'acme/paper'],
      extraLoraScale: [0.5],
    })
    expect(seen?.body).toMatchObject({
      acceleration: 'regular',
      use_turbo: false,
      negative_prompt: 'boats',
      loras: [
        { path: 'acme/ink', scale: 1 },
        { path: 'https://acme.test/a.safetensors', scale: 0.5 },
        { path: 'acme/paper', scale: 1 },
      ],
    })
  })

  it('Z-Image never pays for the expansion of a prompt', async () => {
    const seen = await send({ model: 'fal-ai/z-image/turbo', outputFormat: 'webp', goFast: false })
    expect(seen?.body).toMatchObject({
      enable_prompt_expansion: false,
      output_format: 'webp',
      acceleration: 'none',
    })
  })

  it('the dialect wins over the name, and an unknown name is taken for a plain endpoint', async () => {
    const seen = await send({ model: 'acme/my-flux', dialect: 'flux-dev', images: [png] })
    expect(seen?.path).toBe('/acme/my-flux/image-to-image')
    expect((await send({ model: 'acme/new model' }))?.path).toBe('/acme/new%20model')
  })
})

describe('what is refused by name', () => {
  it.each<[string, Partial<ProviderRequest>]>([
    ['output_format', { outputFormat: 'webp' }],
    ['n', { n: 5 }],
    ['image', { images: [png] }],
    ['image', { model: 'fal-ai/qwen-image-edit' }],
    ['mask', { model: 'fal-ai/flux-pro/v1/fill', images: [png] }],
    ['mask', { model: 'fal-ai/flux/dev', images: [png], mask: inputs.mask() }],
    ['size', { model: 'fal-ai/flux/dev', images: [png], size: { width: 512, height: 512 } }],
    ['strength', { model: 'fal-ai/flux/dev', strength: 0.5 }],
    ['moderation', { model: 'fal-ai/flux-pro/v1.1', moderation: 'strict' }],
    ['disable_safety_checker', { model: 'fal-ai/flux-pro/v1.1', disableSafetyChecker: true }],
    ['lora_scale', { model: 'fal-ai/qwen-image', loraScale: 2 }],
    [
      'extra_lora_weights',
      { model: 'fal-ai/qwen-image', loraWeights: 'a', extraLoraWeights: ['b', 'c', 'd'] },
    ],
    [
      'extra_lora_scale',
      { model: 'fal-ai/qwen-image', loraWeights: 'a', extraLoraWeights: ['b'], extraLoraScale: [1, 1] },
    ],
  ])('%s', async (param, overrides) => {
    const error = await refused(overrides)
    expect(error).toMatchObject({ code: 'unsupported_parameter', param, dispatched: 'no' })
  })

  it('a dialect that fal does not have, as a fault of the configuration', async () => {
    for (const dialect of ['sdxl', 'constructor']) {
      expect(await refused({ dialect })).toMatchObject({ code: 'internal_error', attribution: 'platform' })
    }
  })
})

describe('the addresses of questions', () => {
  const started = async (provider: Provider) => {
    const outcome = await provider.start(requestFor({ model: 'fal-ai/flux-pro/kontext' }), signal())
    if (outcome.status === 'completed') throw new Error('it was done at once')
    return outcome.operation
  }

  it('are built from the base URL where those of the answer lead to another host', async () => {
    const { url, seen } = await openScript([
      submitted,
      { reply: 'completed.json' },
      { reply: 'result.json' },
      { status: 202, reply: { status: 'CANCELLATION_REQUESTED' } },
    ])
    const provider = connect(url)
    const operation = await started(provider)
    await provider.check?.(operation, signal())
    await provider.cancel?.(operation, signal())
    const request = '/fal-ai/flux-pro/requests/764cabcf-b745-4b3e-ae38-1200304cf45b'
    expect(seen.slice(1).map(({ method, path }) => [method, path])).toEqual([
      ['GET', `${request}/status`],
      ['GET', request],
      ['PUT', `${request}/cancel`],
    ])
    for (const { headers } of seen) expect(headers.authorization).toBe(`Key ${key}`)
  })

  it('are those of the answer, unchanged, where they lead to the own host', async () => {
    const answers = [{ reply: {} as object }, { status: 202, reply: { status: 'IN_QUEUE' } }]
    const { url, seen } = await openScript(answers)
    answers[0] = { reply: { request_id: 'r1', status_url: `${url}/elsewhere/r1?token=a` } }
    const provider = connect(url)
    const outcome = await provider.check?.(await started(provider), signal())
    expect(outcome).toMatchObject({ status: 'pending', checkAfterMs: 1_000 })
    expect(seen[1]?.path).toBe('/elsewhere/r1?token=a')
  })

  it('never take the key to a host that only looks like the own one', async () => {
    const { url, seen } = await openScript([
      { status: 202, reply: { status: 'IN_PROGRESS' } },
      { status: 202, reply: { status: 'IN_PROGRESS' } },
    ])
    const provider = connect(url)
    for (const statusUrl of ['https://queue.fal.run.evil.test/x', 'not an address']) {
      await provider.check?.({ id: 'r1', endpoint: 'fal-ai/flux/dev', n: 1, statusUrl }, signal())
    }
    expect(seen.map(({ path }) => path)).toEqual(Array(2).fill('/fal-ai/flux/requests/r1/status'))
  })
})
