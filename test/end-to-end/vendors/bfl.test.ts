/** A whole Gesso in front of Black Forest Labs: what becomes of a request, word for word. Real HTTP to a fake vendor. */
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { bflRoutes } from '../../../src/models/catalogue/routes/bfl.ts'
import { fakeBflKey, startFakeBfl } from '../../upstreams/bfl.ts'
import type { FakeUpstream, RecordedRequest } from '../../upstreams/fake-upstream.ts'
import { RecordedFile } from '../../upstreams/recorded-file.ts'
import { type DrawingWorld, dataUri, openDrawingWorld, picturesOf } from '../drawing-world.ts'

let upstream: FakeUpstream
let world: DrawingWorld
beforeAll(async () => {
  upstream = await startFakeBfl({ echo: true })
  world = await openDrawingWorld('', { BFL_API_KEY: fakeBflKey, BFL_BASE_URL: upstream.url })
})
afterEach(async () => {
  await upstream.play('ok')
  // Whatever was asked, the address of the picture needs no key, and is never given one.
  for (const { path, headers } of upstream.requests) {
    if (!path.startsWith('/files/')) continue
    expect(JSON.stringify(headers)).not.toContain(fakeBflKey)
    expect(headers).not.toHaveProperty('authorization')
  }
  upstream.requests.length = 0
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
  await upstream.close()
})

const prompt = 'a very particular heron with a brass telescope'
const pro = { model: 'flux-2-pro', prompt, response_format: 'b64_json' }

async function measure(bytes: Buffer | undefined) {
  const { width, height, format } = await sharp(bytes).metadata()
  return { width, height, format }
}

const ofMethod = (wanted: string) => upstream.requests.filter(({ method }) => method === wanted)
const submissions = () => ofMethod('POST')
const bodies = () => submissions().map(({ body }) => body)
/** What arrived, without the addresses of pictures. */
const told = ({ method, path, headers, body }: RecordedRequest) => ({
  method,
  path,
  key: headers['x-key'],
  type: headers['content-type'],
  body,
})

describe('a generation', () => {
  // https://docs.bfl.ai/api-reference/models/generate-or-edit-an-image-with-flux2-[flex], and get_result of the same
  test('with every field that FLUX.2 [flex] has becomes this call, and is asked for until it is done', async () => {
    await upstream.play('strange status')
    const answer = await world.draw({
      ...pro,
      model: 'flux-2-flex',
      size: '512x256',
      seed: 7,
      guidance: 4.5,
      num_inference_steps: 12,
      moderation: 'low',
      output_format: 'webp',
      output_compression: 60,
    })
    expect(await measure(picturesOf(answer)[0])).toEqual({ width: 512, height: 256, format: 'webp' })
    expect(answer.json.data[0].seed).toBe(7)
    expect(answer.json.data[0]).not.toHaveProperty('revised_prompt')
    expect(answer.json.warnings ?? []).toEqual([])
    const questions = ofMethod('GET').filter(({ path }) => path.startsWith('/v1/get_result?id='))
    expect(upstream.requests.slice(0, 2).map(told)).toEqual([
      {
        method: 'POST',
        path: '/v1/flux-2-flex',
        key: fakeBflKey,
        type: 'application/json',
        body: {
          prompt,
          width: 512,
          height: 256,
          seed: 7,
          guidance: 4.5,
          steps: 12,
          safety_tolerance: 5,
          output_format: 'webp',
          prompt_upsampling: false,
        },
      },
      {
        method: 'GET',
        path: expect.stringMatching(/^\/v1\/get_result\?id=[0-9a-f-]{36}$/),
        key: fakeBflKey,
        type: undefined,
        body: undefined,
      },
    ])
    expect(questions).toHaveLength(3)
    expect(upstream.requests.at(-1)?.path).toMatch(/^\/files\//)
  })

  // https://docs.bfl.ai/api-reference/models/generate-an-image-with-flux-11-[pro]-with-ultra-mode-and-optional-raw-mode
  test('by ratio, and raw, becomes this call', async () => {
    const wishes = { aspect_ratio: '21:9', style: 'natural', output_format: 'png' }
    const answer = await world.draw({ ...pro, model: 'flux-pro-1.1-ultra', ...wishes })
    expect(await measure(picturesOf(answer)[0])).toEqual({ width: 3_120, height: 1_328, format: 'png' })
    expect(submissions()).toMatchObject([{ path: '/v1/flux-pro-1.1-ultra' }])
    expect(bodies()).toEqual([
      { prompt, aspect_ratio: '21:9', raw: true, output_format: 'png', prompt_upsampling: false },
    ])
  })

  // https://docs.bfl.ai/api-reference/models/generate-or-edit-an-image-with-flux2-[pro]
  test('without any wishes keeps the prompt as it is', async () => {
    const answer = await world.draw(pro)
    expect(await measure(picturesOf(answer)[0])).toEqual({ width: 1_024, height: 1_024, format: 'jpeg' })
    expect(bodies()).toEqual([{ prompt, disable_pup: true }])
  })

  test('of a ratio, a class, and a format that the vendor lacks is made of what it has', async () => {
    const wishes = { aspect_ratio: '3:2', image_size: '512', output_format: 'avif' }
    const answer = await world.draw({ ...pro, model: 'flux-2-klein-4b', ...wishes })
    expect(await measure(picturesOf(answer)[0])).toMatchObject({ format: 'heif' })
    expect(bodies()).toEqual([{ prompt, width: 624, height: 416 }])
  })

  test('of three pictures is three calls with seeds that follow each other', async () => {
    const answer = await world.draw({ ...pro, n: 3, seed: 40, size: '64x64' })
    expect(picturesOf(answer)).toHaveLength(3)
    expect(answer.json.data.map(({ seed }: { seed: number }) => seed)).toEqual([40, 41, 42])
    expect(bodies()).toHaveLength(3)
    expect(bodies()).toEqual(
      expect.arrayContaining([40, 41, 42].map((seed) => expect.objectContaining({ seed, width: 64 }))),
    )
  })

  test('is warned of what FLUX lacks where that is a hint, and refused where it is not', async () => {
    const hints = { quality: 'high', user: 'u-1', guidance: 3.3, disable_safety_checker: true }
    const { status, json } = await world.draw({ ...pro, size: '64x64', ...hints })
    expect(status).toBe(200)
    const params = json.warnings.map((one: { param: string }) => one.param)
    expect(params.toSorted()).toEqual(['disable_safety_checker', 'guidance', 'quality', 'user'])
    const refused = await world.draw({ ...pro, negative_prompt: 'boats' })
    expect([refused.status, refused.json.error.param]).toEqual([400, 'negative_prompt'])
    expect(submissions()).toHaveLength(1)
  })
})

describe('an edit', () => {
  const size = { width: 96, height: 64 }

  // https://docs.bfl.ai/flux_2/flux2_image_editing
  test('of two pictures becomes this call', async () => {
    const image = [await dataUri(size), await dataUri({ width: 64, height: 64 })]
    const answer = await world.draw({ ...pro, image, size: '128x64', seed: 1 })
    expect(await measure(picturesOf(answer)[0])).toMatchObject({ width: 128, height: 64 })
    expect(bodies()).toEqual([
      {
        prompt,
        width: 128,
        height: 64,
        seed: 1,
        disable_pup: true,
        input_image: expect.objectContaining({ format: 'png', width: 96, height: 64 }),
        input_image_2: expect.objectContaining({ format: 'png', width: 64, height: 64 }),
      },
    ])
  })

  // https://docs.bfl.ai/flux_1_fill: black is kept, white is painted.
  test('under a mask sends what is transparent as white', async () => {
    const opaque = { create: { width: 48, height: 64, channels: 4 as const, background: '#102030' } }
    const leftClear = sharp(opaque).extend({ left: 48, background: { r: 0, g: 0, b: 0, alpha: 0 } })
    const mask = `data:image/png;base64,${(await leftClear.png().toBuffer()).toString('base64')}`
    const wishes = { guidance: 30, num_inference_steps: 20, seed: 0 }
    const answer = await world.draw({
      ...pro,
      model: 'flux-fill-pro',
      image: await dataUri(size),
      mask,
      ...wishes,
    })
    expect(await measure(picturesOf(answer)[0])).toMatchObject(size)
    expect(submissions()).toMatchObject([{ path: '/v1/flux-pro-1.0-fill' }])
    expect(bodies()).toEqual([
      {
        prompt,
        guidance: 30,
        steps: 20,
        seed: 0,
        prompt_upsampling: false,
        image: expect.objectContaining({ format: 'png', ...size }),
        mask: expect.objectContaining({ format: 'png', hasAlpha: false, ...size }),
      },
    ])
    const sent = Object(bodies()[0]).mask
    if (!(sent instanceof RecordedFile)) throw new Error('there was no mask')
    const { data } = await sharp(sent.likeness()).greyscale().raw().toBuffer({ resolveWithObject: true })
    expect([data[0], data[47], data[48], data[95]]).toEqual([255, 255, 0, 0])
  })

  // https://docs.bfl.ai/flux_models/flux_1_1_pro_ultra_raw, "image_prompt_strength"
  test('that may depart little from its picture is pulled strongly by it', async () => {
    const image = await dataUri(size)
    await world.draw({ ...pro, model: 'flux-1.1-pro-ultra', image, strength: 0.2 })
    const shape = { image_prompt_strength: 0.8, image_prompt: expect.objectContaining(size) }
    expect(bodies()).toEqual([{ prompt, prompt_upsampling: false, ...shape }])
  })

  test.each([
    ['mask', 1, { model: 'flux-fill-pro' }],
    ['image', 5, { model: 'flux-kontext-pro' }],
    ['strength', 1, { model: 'flux-kontext-pro', strength: 0.5 }],
  ])('without or with a wrong %s is refused before anything is sent', async (param, count, wishes) => {
    const image = await Promise.all(Array.from({ length: count }, () => dataUri(size)))
    const { status, json } = await world.draw({ ...pro, image, ...wishes })
    expect([status, json.error.param]).toEqual([400, param])
    expect(upstream.requests).toEqual([])
  })
})

describe('what goes wrong', () => {
  test('a refusal is a 400 that is not tried again', async () => {
    await upstream.play('moderation')
    const { status, json, headers, text } = await world.draw(pro)
    expect([status, json.error.code]).toEqual([400, 'moderation_blocked'])
    expect(headers.get('x-should-retry')).toBe('false')
    expect(text).not.toContain(prompt)
    expect(text).not.toContain(fakeBflKey)
    expect(submissions()).toHaveLength(1)
  })

  test.each(['expired', 'empty', 'failed work', '401', '402', '500'] as const)(
    '"%s" is a 502 after one submission, without secrets',
    async (scenario) => {
      await upstream.play(scenario)
      const { status, text } = await world.draw(pro)
      expect(status).toBe(502)
      expect(text).not.toContain(prompt)
      expect(text).not.toContain(fakeBflKey)
      expect(submissions()).toHaveLength(1)
    },
  )

  test('a picture that fails beside others is a warning', async () => {
    await upstream.play('moderation', 1)
    const answer = await world.draw({ ...pro, n: 2, size: '64x64' })
    expect(answer.status).toBe(200)
    expect(picturesOf(answer)).toHaveLength(1)
    expect(answer.json.usage.generated_images).toBe(1)
    expect(answer.json.warnings).toHaveLength(1)
  })
})

test('the models are listed as available', async () => {
  const response = await world.call('/v1/models')
  const { data } = (await response.json()) as { data: { id: string; available: boolean }[] }
  const available = data.filter((model) => model.available).map((model) => model.id)
  expect(available).toEqual(expect.arrayContaining(Object.keys(bflRoutes)))
})
