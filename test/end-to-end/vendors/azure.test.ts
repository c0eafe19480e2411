/** A whole Gesso in front of Azure OpenAI: what becomes of a request, word for word. Real HTTP to a fake Azure. */
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { fakeAzureKey, startFakeAzure } from '../../upstreams/azure.ts'
import { fakePicture } from '../../upstreams/fake-picture.ts'
import type { FakeUpstream } from '../../upstreams/fake-upstream.ts'
import { type DrawingWorld, dataUri, type Json, openDrawingWorld, picturesOf } from '../drawing-world.ts'

let upstream: FakeUpstream
let world: DrawingWorld
beforeAll(async () => {
  upstream = await startFakeAzure({ echo: true })
  world = await openDrawingWorld(
    `
providers:
  azure:
    deployments: { gpt-image-1.5: team-pictures }
models:
  - { id: team/own, provider: azure, upstream_model: gpt-image-1-mini, supports: [quality, image] }
`,
    { AZURE_OPENAI_API_KEY: fakeAzureKey, AZURE_OPENAI_ENDPOINT: `${upstream.url}/openai/v1/` },
  )
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
const ask = { model: 'gpt-image-1.5', prompt, size: '1024x1024', response_format: 'b64_json' }

async function measure(bytes: Buffer | undefined) {
  const { width, height, format } = await sharp(bytes).metadata()
  return { width, height, format }
}

describe('a generation', () => {
  // https://learn.microsoft.com/en-us/azure/foundry/openai/how-to/dall-e
  test('with every field that Azure has becomes this call, in the deployment of the model', async () => {
    const answer = await world.draw({
      ...ask,
      n: 2,
      size: '1536x1024',
      quality: 'low',
      background: 'opaque',
      output_format: 'jpeg',
      user: 'user-1',
    })
    const pictures = picturesOf(answer)
    expect(pictures).toHaveLength(2)
    expect(await measure(pictures[0])).toEqual({ width: 1536, height: 1024, format: 'jpeg' })
    expect(answer.json.warnings ?? []).toEqual([])
    expect(upstream.requests).toEqual([
      {
        method: 'POST',
        path: '/openai/v1/images/generations',
        headers: expect.objectContaining({ 'api-key': fakeAzureKey, 'content-type': 'application/json' }),
        body: {
          model: 'team-pictures',
          prompt,
          n: 2,
          size: '1536x1024',
          quality: 'low',
          background: 'opaque',
          output_format: 'jpeg',
          user: 'user-1',
        },
      },
    ])
    expect(upstream.requests[0]?.headers).not.toHaveProperty('authorization')
  })

  test('in WebP of some compression is drawn as PNG, and both are done here', async () => {
    const answer = await world.draw({ ...ask, output_format: 'webp', output_compression: 40 })
    expect((await measure(picturesOf(answer)[0])).format).toBe('webp')
    expect(answer.json.warnings ?? []).toEqual([])
    expect(upstream.requests[0]?.body).toEqual({ model: 'team-pictures', prompt, n: 1, size: '1024x1024' })
  })

  test('is warned of what Azure lacks, where that is a hint, and refused where it is not', async () => {
    const { status, json } = await world.draw({ ...ask, moderation: 'low' })
    expect([status, json.warnings.map((one: Json) => one.param)]).toEqual([200, ['moderation']])
    const refused = await world.draw({ ...ask, seed: 7 })
    expect([refused.status, refused.json.error.param]).toEqual([400, 'seed'])
    expect(upstream.requests).toHaveLength(1)
  })

  test("of the operator's own model goes to its deployment, and never says response_format", async () => {
    picturesOf(await world.draw({ ...ask, model: 'team/own', quality: 'low' }))
    const body = { model: 'gpt-image-1-mini', prompt, n: 1, size: '1024x1024', quality: 'low' }
    expect(upstream.requests.map((one) => one.body)).toEqual([body])
  })

  test('of a closed model is drawn by its successor, in the old words', async () => {
    const answer = await world.draw({
      model: 'dall-e-2',
      prompt,
      size: '256x256',
      response_format: 'b64_json',
    })
    expect(await measure(picturesOf(answer)[0])).toMatchObject({ width: 256, height: 256 })
    const body = { model: 'gpt-image-2', prompt, n: 1, size: '1024x1024', quality: 'medium' }
    expect(upstream.requests.map((one) => one.body)).toEqual([body])
  })
})

// https://learn.microsoft.com/en-us/azure/foundry/openai/how-to/dall-e#call-the-image-edit-api
test('an edit is a form, and a WebP in it becomes a PNG', async () => {
  const size = { width: 96, height: 64 }
  const webp = await sharp({ create: { ...size, channels: 3, background: '#c05020' } })
    .webp()
    .toBuffer()
  const image = `data:image/webp;base64,${webp.toString('base64')}`
  const mask = await dataUri(size, { r: 0, g: 0, b: 0, alpha: 0 })
  const answer = await world.draw(
    { ...ask, image, mask, input_fidelity: 'high' },
    { path: '/v1/images/edits' },
  )
  expect(picturesOf(answer)).toHaveLength(1)
  expect(upstream.requests).toMatchObject([{ method: 'POST', path: '/openai/v1/images/edits' }])
  const file = (filename: string) => expect.objectContaining({ filename, format: 'png', ...size })
  expect(upstream.requests[0]?.body).toEqual({
    'image[]': file('image.png'),
    mask: file('mask.png'),
    model: 'team-pictures',
    prompt,
    n: '1',
    size: '1024x1024',
    input_fidelity: 'high',
  })
})

describe('when Azure', () => {
  test('filters, the caller is told as OpenAI would, without an echo', async () => {
    await upstream.play('moderation')
    const { status, json, text } = await world.draw(ask)
    expect([status, json.error.code]).toEqual([400, 'moderation_blocked'])
    expect(text).not.toContain('telescope')
    expect(text).not.toContain(fakeAzureKey)
  })

  test('filters one of two pictures, the other is delivered, and that is told', async () => {
    const picture = await fakePicture({ width: 32, height: 32, format: 'png', index: 0 })
    const error = { code: 'contentFilter', message: 'Generated image was filtered.' }
    const data = [{ b64_json: picture.toString('base64') }, { error }]
    await upstream.play({ status: 200, body: { created: 1, data } })
    const answer = await world.draw({ model: 'gpt-image-1.5', prompt, n: 2, response_format: 'b64_json' })
    expect(picturesOf(answer)).toHaveLength(1)
    expect(answer.json.warnings).toHaveLength(1)
  })

  test('has no such deployment, that is not the fault of the caller', async () => {
    await upstream.play({
      status: 404,
      body: { error: { code: 'DeploymentNotFound', message: 'No such one.' } },
    })
    const { status, json } = await world.draw(ask)
    expect([status, json.error.code]).toEqual([502, 'upstream_failed'])
    expect(json.error.message).toContain('AZURE_OPENAI_ENDPOINT')
  })
})

test('its models are listed as available, and those of OpenAI alone are not', async () => {
  const response = await world.call('/v1/models')
  const { data } = (await response.json()) as { data: Json[] }
  const available = new Map(data.map((model) => [model.id, model.available]))
  for (const id of ['gpt-image-2', 'gpt-image-1.5', 'gpt-image-1-mini', 'dall-e-3', 'team/own']) {
    expect(available.get(id), id).toBe(true)
  }
  expect(available.get('chatgpt-image-latest')).toBe(false)
})
