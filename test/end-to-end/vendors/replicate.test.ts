/** A whole Gesso in front of Replicate: what becomes of a request, word for word. Real HTTP to a fake Replicate. */
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { replicateRoutes } from '../../../src/models/catalogue/routes/replicate.ts'
import { type FakeReplicate, fakeReplicateKey, startFakeReplicate } from '../../upstreams/replicate.ts'
import { type DrawingWorld, dataUri, openDrawingWorld, picturesOf } from '../drawing-world.ts'

let upstream: FakeReplicate
let world: DrawingWorld
beforeAll(async () => {
  upstream = await startFakeReplicate({ echo: true })
  world = await openDrawingWorld('', {
    REPLICATE_API_TOKEN: fakeReplicateKey,
    REPLICATE_BASE_URL: upstream.url,
  })
})
afterEach(async () => {
  await upstream.play('ok')
  upstream.requests.length = 0
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
  await upstream.close()
})

const prompt = 'a very particular heron with a brass telescope'
const quick = { model: 'flux-1-schnell', prompt, image_size: '512', response_format: 'b64_json' }

async function measure(bytes: Buffer | undefined) {
  const { width, height, format } = await sharp(bytes).metadata()
  return `${format} ${width}x${height}`
}

const created = () => upstream.requests.filter(({ path }) => path.endsWith('/predictions'))
const inputs = () => created().map(({ body }) => (body as { input: Record<string, unknown> }).input)
const asked = () =>
  upstream.requests.filter(({ method, path }) => method === 'GET' && path.startsWith('/v1/'))
const downloads = () => upstream.requests.filter(({ path }) => path.startsWith('/xezq/'))

describe('a generation', () => {
  // https://replicate.com/docs/reference/http#models.predictions.create, https://replicate.com/qwen/qwen-image/api
  test('with every field that Qwen-Image has becomes this prediction, asked for and downloaded', async () => {
    const answer = await world.draw({
      model: 'qwen-image',
      prompt,
      size: '928x1664',
      image_size: 'optimize_for_quality',
      seed: 7,
      negative_prompt: 'boats',
      guidance: 3.5,
      num_inference_steps: 20,
      go_fast: false,
      disable_safety_checker: true,
      lora_weights: 'acme/ink',
      lora_scale: 0.5,
      extra_lora_weights: ['acme/paper'],
      extra_lora_scale: [-0.25],
      output_format: 'webp',
      output_compression: 60,
      response_format: 'b64_json',
    })
    expect(await measure(picturesOf(answer)[0])).toBe('webp 928x1664')
    expect(answer.json.data[0].seed).toBe(7)
    expect(answer.json.warnings ?? []).toEqual([])
    expect(created()).toEqual([
      {
        method: 'POST',
        path: '/v1/models/qwen/qwen-image/predictions',
        headers: expect.objectContaining({
          authorization: `Bearer ${fakeReplicateKey}`,
          'content-type': 'application/json',
        }),
        body: {
          input: {
            prompt,
            enhance_prompt: false,
            aspect_ratio: '9:16',
            image_size: 'optimize_for_quality',
            seed: 7,
            negative_prompt: 'boats',
            guidance: 3.5,
            num_inference_steps: 20,
            go_fast: false,
            disable_safety_checker: true,
            lora_weights: 'acme/ink',
            lora_scale: 0.5,
            extra_lora_weights: ['acme/paper'],
            extra_lora_scale: [-0.25],
            output_format: 'webp',
            output_quality: 60,
          },
        },
      },
    ])
    expect(created()[0]?.headers).not.toHaveProperty('prefer')
    expect(asked()).toMatchObject([{ headers: { authorization: `Bearer ${fakeReplicateKey}` } }])
    expect(downloads()).toHaveLength(1)
    expect(downloads()[0]?.headers).not.toHaveProperty('authorization')
  })

  // https://replicate.com/black-forest-labs/flux-pro/api
  test('with every field of FLUX.1 [pro] is drawn in any size', async () => {
    const answer = await world.draw({
      model: 'flux-pro',
      prompt,
      size: '320x256',
      seed: 7,
      guidance: 2.5,
      num_inference_steps: 12,
      moderation: 'low',
      output_format: 'jpeg',
      output_compression: 70,
      response_format: 'b64_json',
    })
    expect(await measure(picturesOf(answer)[0])).toBe('jpeg 320x256')
    expect(inputs()).toEqual([
      {
        prompt,
        prompt_upsampling: false,
        aspect_ratio: 'custom',
        width: 320,
        height: 256,
        seed: 7,
        guidance: 2.5,
        steps: 12,
        safety_tolerance: 6,
        output_format: 'jpg',
        output_quality: 70,
      },
    ])
  })

  // https://replicate.com/black-forest-labs/flux-schnell/api
  test('of three pictures is three predictions with seeds that follow each other', async () => {
    const answer = await world.draw({ ...quick, n: 3, seed: 40 })
    expect(picturesOf(answer)).toHaveLength(3)
    expect(answer.json.data.map((one: { seed: number }) => one.seed)).toEqual([40, 41, 42])
    expect(inputs().map(({ seed }) => seed)).toEqual(expect.arrayContaining([40, 41, 42]))
    expect(inputs()[0]).toMatchObject({ num_outputs: 1, megapixels: '0.25', go_fast: false })
  })

  test('of more pictures than one prediction makes is two', async () => {
    const answer = await world.draw({ model: 'qwen-image-2.1-lora', prompt, size: '256x256', n: 6 })
    expect(answer.json.data).toHaveLength(6)
    const counts = inputs().map(({ num_outputs }) => num_outputs)
    expect(counts.toSorted()).toEqual([2, 4])
  })

  test('never lets FLUX 3 search the web, and is converted to a format that a model lacks', async () => {
    const one = { prompt, response_format: 'b64_json', output_format: 'webp' }
    await world.draw({ ...one, model: 'flux-3-image', aspect_ratio: '9:21' })
    expect(inputs()[0]).toEqual({ prompt, grounding: false, aspect_ratio: '9:21', output_format: 'webp' })
    const ultra = await world.draw({ ...one, model: 'flux-1.1-pro-ultra' })
    expect(await measure(picturesOf(ultra)[0])).toMatch(/^webp/)
    expect(inputs()[1]).toEqual({ prompt })
  })

  test('is warned of what a model lacks, where that is a hint, and refused where it is not', async () => {
    const { status, json } = await world.draw({ ...quick, quality: 'high', guidance: 5, user: 'u-1' })
    expect(status).toBe(200)
    const params = json.warnings.map((one: { param: string }) => one.param)
    expect(params.toSorted()).toEqual(['guidance', 'quality', 'user'])
    const refused = await world.draw({ ...quick, negative_prompt: 'boats' })
    expect([refused.status, refused.json.error.param]).toEqual([400, 'negative_prompt'])
    expect(created()).toHaveLength(1)
  })
})

describe('an edit', () => {
  // https://replicate.com/black-forest-labs/flux-2-flex/api
  test('by FLUX.2 [flex] carries its pictures in the body, in order', async () => {
    const image = [await dataUri({ width: 320, height: 256 }), await dataUri({ width: 256, height: 320 })]
    const answer = await world.draw({
      model: 'flux-2-flex',
      prompt,
      image,
      image_size: '512',
      seed: 7,
      guidance: 4,
      num_inference_steps: 12,
      moderation: 'low',
      response_format: 'b64_json',
    })
    expect(await measure(picturesOf(answer)[0])).toMatch(/320x256$/)
    expect(inputs()).toEqual([
      {
        prompt,
        prompt_upsampling: false,
        input_images: [
          expect.objectContaining({ mediaType: 'image/png', width: 320, height: 256 }),
          expect.objectContaining({ mediaType: 'image/png', width: 256, height: 320 }),
        ],
        aspect_ratio: 'match_input_image',
        resolution: '0.5 MP',
        seed: 7,
        guidance: 4,
        steps: 12,
        safety_tolerance: 5,
      },
    ])
  })

  // https://replicate.com/docs/topics/predictions/input-files
  test('of a large picture uploads it first', async () => {
    const noise = { type: 'gaussian' as const, mean: 128, sigma: 60 }
    const create = { width: 320, height: 320, channels: 3 as const, background: '#000', noise }
    const large = await sharp({ create }).png().toBuffer()
    expect(large.length).toBeGreaterThan(256 * 1024)
    const image = `data:image/png;base64,${large.toString('base64')}`
    const answer = await world.draw({ model: 'flux-1-dev', prompt, image, strength: 0.25 })
    expect([answer.status, answer.json.size]).toEqual([200, '320x320'])
    expect(upstream.requests[0]).toMatchObject({ method: 'POST', path: '/v1/files' })
    expect(inputs()).toEqual([
      {
        prompt,
        num_outputs: 1,
        image: expect.stringMatching(/\/v1\/files\//),
        prompt_strength: 0.25,
      },
    ])
  })

  test('by a model that lives on a picture needs one', async () => {
    const { status, json } = await world.draw({ model: 'flux-depth-pro', prompt })
    expect([status, json.error.param]).toEqual([400, 'image'])
    expect(created()).toEqual([])
  })
})

describe('what goes wrong', () => {
  test('a prediction that is flagged is a 400 that is not tried again', async () => {
    await upstream.play('moderation')
    const { status, json, text, headers } = await world.draw(quick)
    expect([status, json.error.code]).toEqual([400, 'moderation_blocked'])
    expect(text).not.toContain(prompt)
    expect(headers.get('x-should-retry')).toBe('false')
    expect(created()).toHaveLength(1)
  })

  test.each([
    ['expired', 'pictures whose addresses have expired are', 502],
    ['failed work', 'a prediction that fails is', 502],
    ['empty', 'a prediction without pictures is', 502],
    ['401', 'a wrong key is nobody’s business but the operator’s:', 502],
  ] as const)('%s: %s a %i', async (scenario, _, expected) => {
    await upstream.play(scenario)
    const { status, text } = await world.draw(quick)
    expect(status).toBe(expected)
    expect(text).not.toContain(prompt)
    expect(text).not.toContain(fakeReplicateKey)
    expect(created()).toHaveLength(1)
  })

  test('a picture that is withheld beside others is a warning', async () => {
    await upstream.play('partial')
    const answer = await world.draw({ model: 'qwen-image-2.1-lora', prompt, size: '256x256', n: 3 })
    expect(answer.status).toBe(200)
    expect(answer.json.data).toHaveLength(2)
    expect(answer.json.usage.generated_images).toBe(2)
    expect(answer.json.warnings).toHaveLength(1)
  })
})

test('the models are listed as available', async () => {
  const { data } = (await (await world.call('/v1/models')).json()) as {
    data: { id: string; available: boolean }[]
  }
  const available = data.filter((model) => model.available).map((model) => model.id)
  expect(available).toEqual(expect.arrayContaining(Object.keys(replicateRoutes)))
})
