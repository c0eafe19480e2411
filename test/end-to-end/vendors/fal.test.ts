/** A whole Gesso in front of fal: what a caller's request becomes on fal's wire, and what becomes of fal's answers. */
import { createHash } from 'node:crypto'
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { RecordedRequest } from '../../upstreams/fake-upstream.ts'
import { type FakeFal, fakeFalKey, startFakeFal } from '../../upstreams/fal.ts'
import type { RecordedFile } from '../../upstreams/recorded-file.ts'
import { type DrawingWorld, dataUri, type Json, openDrawingWorld, picturesOf } from '../drawing-world.ts'

const yaml = `
models:
  - id: own-batch
    provider: fal
    upstream_model: fal-ai/flux/dev
    dialect: flux-dev
    images_per_call: 4
    supports: [seed]
`

let fake: FakeFal
let world: DrawingWorld
beforeAll(async () => {
  fake = await startFakeFal({ echo: true })
  world = await openDrawingWorld(yaml, { FAL_KEY: fakeFalKey, FAL_BASE_URL: fake.url })
})
afterEach(() => fake.play('ok'))
afterAll(async () => {
  await world[Symbol.asyncDispose]()
  await fake.close()
})

const prompt = 'a very secret unicorn'
const image = await dataUri({ width: 96, height: 64 })
const policy = {
  'x-fal-no-retry': '1',
  'x-app-fal-disable-fallback': '1',
  authorization: `Key ${fakeFalKey}`,
}

/** Calls since the last look. */
let seen = 0
function arrived(): RecordedRequest[] {
  const fresh = fake.requests.slice(seen)
  seen = fake.requests.length
  return fresh
}
const submissionsOf = (requests: RecordedRequest[]) => requests.filter(({ method }) => method === 'POST')

async function draw(body: object) {
  arrived()
  const answer = await world.draw({ prompt, response_format: 'b64_json', ...body })
  const requests = arrived()
  return { answer, requests, submissions: submissionsOf(requests) }
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const bytesOf = (uri: string) => Buffer.from(uri.split(',')[1] ?? '', 'base64')

describe('the exact requests', () => {
  // https://fal.ai/docs/model-api-reference/image-generation-api/flux-dev and …/api-reference/inference-api
  test('a generation with every field that FLUX.1 [dev] has', async () => {
    const { answer, requests, submissions } = await draw({
      model: 'flux-1-dev',
      size: '768x512',
      seed: 11,
      guidance: 4,
      num_inference_steps: 20,
      go_fast: false,
      disable_safety_checker: true,
      output_format: 'png',
    })
    expect([answer.status, answer.json.warnings]).toEqual([200, undefined])
    expect(submissions).toHaveLength(1)
    expect(submissions[0]).toMatchObject({ path: '/fal-ai/flux/dev', headers: policy })
    expect(submissions[0]?.headers).not.toHaveProperty('x-fal-store-io')
    expect(submissions[0]?.body).toEqual({
      prompt,
      num_images: 1,
      image_size: { width: 768, height: 512 },
      seed: 11,
      guidance_scale: 4,
      num_inference_steps: 20,
      acceleration: 'none',
      enable_safety_checker: false,
      output_format: 'png',
      sync_mode: false,
    })
    const [picture] = picturesOf(answer)
    expect(await sharp(picture).metadata()).toMatchObject({ width: 768, height: 512, format: 'png' })
    expect(answer.json.data[0].seed).toBe(11)
    // Status and result at the app's own path, and the file without the key.
    const questions = requests.filter(({ path }) => path.includes('/requests/'))
    for (const { path, headers } of questions) {
      expect(path).toMatch(/^\/fal-ai\/flux\/requests\/[0-9a-f-]{36}(\/status)?$/)
      expect(headers.authorization).toBe(`Key ${fakeFalKey}`)
    }
    const files = requests.filter(({ path }) => path.startsWith('/files/'))
    expect(files).toHaveLength(1)
    for (const { headers } of files) {
      expect(headers).not.toHaveProperty('authorization')
      expect(JSON.stringify(headers)).not.toContain(fakeFalKey)
    }
  })

  // https://fal.ai/docs/model-api-reference/image-generation-api/flux-pro-kontext-multi
  test('an edit of two pictures with Kontext', async () => {
    const other = await dataUri({ width: 64, height: 64 }, { r: 0, g: 200, b: 40 })
    const { answer, submissions } = await draw({
      model: 'flux-kontext-pro',
      image: [image, other],
      aspect_ratio: '16:9',
      guidance: 2.5,
      seed: 5,
      moderation: 'low',
      output_format: 'jpeg',
    })
    expect(answer.status).toBe(200)
    expect(submissions[0]?.path).toBe('/fal-ai/flux-pro/kontext/multi')
    const { image_urls: files, ...said } = (submissions[0]?.body ?? {}) as { image_urls: RecordedFile[] }
    expect(files.map((file) => file.sha256)).toEqual([sha256(bytesOf(image)), sha256(bytesOf(other))])
    expect(said).toEqual({
      prompt,
      num_images: 1,
      aspect_ratio: '16:9',
      guidance_scale: 2.5,
      seed: 5,
      safety_tolerance: '6',
      output_format: 'jpeg',
      enhance_prompt: false,
      sync_mode: false,
    })
  })

  // https://fal.ai/models/fal-ai/flux-pro/v1/fill/api: white is what is painted
  test('an edit with a mask, which fal wants in black and white', async () => {
    const mask = await dataUri({ width: 96, height: 64 }, { r: 0, g: 0, b: 0, alpha: 0 })
    const { answer, submissions } = await draw({ model: 'flux-fill-pro', image, mask })
    expect(answer.status).toBe(200)
    const { mask_url: sent, image_url: picture } = (submissions[0]?.body ?? {}) as Record<
      string,
      RecordedFile
    >
    expect(picture?.sha256).toBe(sha256(bytesOf(image)))
    expect(sent).toMatchObject({ format: 'png', width: 96, height: 64, hasAlpha: false })
    expect((await sharp(sent?.likeness()).stats()).channels[0]?.min).toBe(255)
  })

  // https://fal.ai/docs/model-api-reference/image-generation-api (Qwen-Image)
  test('LoRAs and a negative prompt with Qwen-Image', async () => {
    const { answer, submissions } = await draw({
      model: 'qwen-image',
      negative_prompt: 'boats',
      lora_weights: 'acme/ink',
      lora_scale: 0.5,
      extra_lora_weights: ['acme/paper'],
      extra_lora_scale: [1.5],
    })
    expect(answer.status).toBe(200)
    expect(submissions[0]).toMatchObject({
      path: '/fal-ai/qwen-image',
      body: {
        negative_prompt: 'boats',
        loras: [
          { path: 'acme/ink', scale: 0.5 },
          { path: 'acme/paper', scale: 1.5 },
        ],
      },
    })
  })
})

describe('several pictures', () => {
  test('are one call each, so that picture k has the seed that a caller can count on', async () => {
    const { answer, submissions } = await draw({ model: 'flux-1-schnell', n: 3, seed: 40, size: '256x256' })
    expect(answer.json.data.map(({ seed }: Json) => seed)).toEqual([40, 41, 42])
    const seeds = submissions.map(({ body }) => (body as { seed: number }).seed)
    expect(seeds.toSorted()).toEqual([40, 41, 42])
  })

  test('of a model of the operator are as many per call as he says', async () => {
    const { answer, submissions } = await draw({ model: 'own-batch', n: 4, size: '256x256' })
    expect(answer.json.data).toHaveLength(4)
    expect(submissions.map(({ body }) => (body as { num_images: number }).num_images)).toEqual([4])
  })

  test('of which fal painted one black are delivered without it, and a warning says so', async () => {
    await fake.play('partial')
    const { answer } = await draw({ model: 'own-batch', n: 4, size: '256x256' })
    expect(answer.status).toBe(200)
    expect(answer.json.data).toHaveLength(3)
    expect(answer.json.warnings).toHaveLength(1)
    expect(answer.text).not.toContain('unicorn')
  })
})

describe('what fal does not do', () => {
  test('is named in warnings where it is a hint, and refused where it is the picture', async () => {
    const hint = await draw({ model: 'flux-1.1-pro', quality: 'high', guidance: 4.5, size: '512x512' })
    expect(hint.answer.json.warnings.map(({ param }: Json) => param)).toEqual(['quality', 'guidance'])
    const refused = await draw({ model: 'flux-1.1-pro', negative_prompt: 'boats' })
    expect([refused.answer.status, refused.answer.json.error.param]).toEqual([400, 'negative_prompt'])
    expect(refused.submissions).toEqual([])
    const noPicture = await draw({ model: 'qwen-image-edit' })
    expect([noPicture.answer.status, noPicture.answer.json.error.param]).toEqual([400, 'image'])
  })
})

describe('failures', () => {
  test.each([
    ['moderation', 400, 'moderation_blocked'],
    ['partial', 400, 'moderation_blocked'],
    ['failed work', 502, 'upstream_failed'],
    ['402', 502, 'upstream_failed'],
    ['empty', 502, 'upstream_invalid_response'],
  ] as const)('%s is a %i %s, after one submission and without a secret', async (scenario, status, code) => {
    await fake.play(scenario)
    const { answer, submissions } = await draw({ model: 'flux-1-schnell', size: '256x256' })
    expect([answer.status, answer.json.error.code]).toEqual([status, code])
    expect(submissions).toHaveLength(1)
    expect(answer.text).not.toMatch(/unicorn|iVBOR/)
    expect(answer.text).not.toContain(fakeFalKey)
  })

  test('a result whose file is gone is a 502', async () => {
    await fake.play('expired')
    const { answer } = await draw({ model: 'flux-1-schnell', size: '256x256' })
    expect([answer.status, answer.json.error.type]).toEqual([502, 'upstream_error'])
  })
})

test('the list of models has them, available', async () => {
  const { data } = (await (await world.call('/v1/models')).json()) as Json
  for (const id of ['flux-1-schnell', 'flux-kontext-max', 'flux-2-pro', 'qwen-image', 'own-batch']) {
    expect(data.find((model: Json) => model.id === id)).toMatchObject({ id, available: true })
  }
})
