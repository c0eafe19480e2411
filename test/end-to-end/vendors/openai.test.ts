/** A whole Gesso in front of OpenAI: what becomes of a request, word for word. Real HTTP to a fake OpenAI. */
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { fakePicture } from '../../upstreams/fake-picture.ts'
import { type FakeUpstream, fakeOpenAiKey, startFakeOpenAi } from '../../upstreams/openai.ts'
import { type DrawingWorld, dataUri, type Json, openDrawingWorld, picturesOf } from '../drawing-world.ts'

let upstream: FakeUpstream
let world: DrawingWorld
beforeAll(async () => {
  upstream = await startFakeOpenAi({ echo: true })
  world = await openDrawingWorld('', { OPENAI_API_KEY: fakeOpenAiKey, OPENAI_BASE_URL: upstream.url })
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
const ask = { model: 'gpt-image-2', prompt, size: '1024x1024', response_format: 'b64_json' }
const square = { width: 1024, height: 1024 }

async function measure(bytes: Buffer | undefined) {
  const { width, height, format } = await sharp(bytes).metadata()
  return { width, height, format }
}

describe('a generation', () => {
  // https://platform.openai.com/docs/api-reference/images/create
  test('with every field that GPT Image has becomes this call, and response_format is none of them', async () => {
    const answer = await world.draw({
      ...ask,
      n: 2,
      size: '1536x1024',
      quality: 'low',
      background: 'opaque',
      moderation: 'low',
      output_format: 'webp',
      output_compression: 60,
      safety_identifier: 'user-1',
    })
    const pictures = picturesOf(answer)
    expect(pictures).toHaveLength(2)
    expect(await measure(pictures[1])).toEqual({ width: 1536, height: 1024, format: 'webp' })
    expect(answer.json.warnings ?? []).toEqual([])
    expect(upstream.requests).toEqual([
      {
        method: 'POST',
        path: '/v1/images/generations',
        headers: expect.objectContaining({
          authorization: `Bearer ${fakeOpenAiKey}`,
          'content-type': 'application/json',
        }),
        body: {
          model: 'gpt-image-2',
          prompt,
          n: 2,
          size: '1536x1024',
          quality: 'low',
          background: 'opaque',
          moderation: 'low',
          output_format: 'webp',
          output_compression: 60,
          safety_identifier: 'user-1',
        },
      },
    ])
  })

  test('without any names n and the size all the same', async () => {
    picturesOf(await world.draw({ model: 'gpt-image-2', prompt, response_format: 'b64_json' }))
    expect(upstream.requests[0]?.body).toEqual({ model: 'gpt-image-2', prompt, n: 1, size: 'auto' })
  })

  test('of ten pictures is one call', async () => {
    const picture = await fakePicture({ width: 32, height: 32, format: 'png', index: 0 })
    const data = Array.from({ length: 10 }, () => ({ b64_json: picture.toString('base64') }))
    await upstream.play({ status: 200, body: { created: 1, data } })
    const answer = await world.draw({ model: 'gpt-image-2', prompt, n: 10, response_format: 'b64_json' })
    expect(picturesOf(answer)).toHaveLength(10)
    expect(upstream.requests).toMatchObject([{ body: { n: 10 } }])
  })

  test('in AVIF is drawn as OpenAI can, and converted here', async () => {
    const answer = await world.draw({ ...ask, output_format: 'avif' })
    expect(await measure(picturesOf(answer)[0])).toEqual({ ...square, format: 'heif' })
    expect(upstream.requests[0]?.body).not.toHaveProperty('output_format')
  })

  test('is warned of what OpenAI lacks, where that is a hint, and refused where it is not', async () => {
    const { status, json } = await world.draw({ ...ask, style: 'vivid' })
    expect([status, json.warnings.map((one: Json) => one.param)]).toEqual([200, ['style']])
    expect(upstream.requests[0]?.body).not.toHaveProperty('style')
    const refused = await world.draw({ ...ask, negative_prompt: 'boats' })
    expect([refused.status, refused.json.error.param]).toEqual([400, 'negative_prompt'])
    expect(upstream.requests).toHaveLength(1)
  })

  test('of a closed model is drawn by its successor, in the old words', async () => {
    const answer = await world.draw({ model: 'dall-e-3', prompt, quality: 'hd', response_format: 'b64_json' })
    expect(answer.json.warnings).toMatchObject([{ param: 'model', code: 'deprecated_model' }])
    const body = { model: 'gpt-image-2', prompt, n: 1, size: '1024x1024', quality: 'high' }
    expect(upstream.requests).toMatchObject([{ body }])
  })
})

test('the newest models are told how much to think, and what is drawn over the picture', async () => {
  const size = { width: 96, height: 64 }
  const image = await dataUri(size)
  const markup = await dataUri(size, { r: 255, g: 0, b: 0, alpha: 0 })
  const file = (filename: string) => expect.objectContaining({ filename, mediaType: 'image/png', ...size })
  const thought = { ...ask, model: 'gpt-image-2.6-flare', image, markup, complexity: 'high' }
  picturesOf(await world.draw(thought))
  expect(upstream.requests[0]?.body).toMatchObject({
    image: file('image.png'),
    markup: file('markup.png'),
    complexity: 'high',
  })
  const form = new FormData()
  for (const [name, value] of Object.entries({ model: 'gpt-image-2.5-flare', prompt })) form.set(name, value)
  for (const [name, uri] of Object.entries({ image, markup })) {
    form.set(name, new Blob([Buffer.from(uri.split(',')[1] ?? '', 'base64')], { type: 'image/png' }), 'a.png')
  }
  const url = `${world.url}/v1/images/edits`
  const sent = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${world.key}` },
    body: form,
  })
  expect(sent.status).toBe(200)
  expect(upstream.requests[1]?.body).toMatchObject({ markup: file('markup.png') })
  const both = await world.draw({ ...thought, mask: markup })
  expect([both.status, both.json.error.param]).toEqual([400, 'markup'])
  const other = await world.draw({ ...thought, model: 'gpt-image-2' })
  expect([other.status, other.json.error.param]).toEqual([400, 'markup'])
  const small = await world.draw({
    ...thought,
    markup: await dataUri({ width: 95, height: 64 }, { r: 0, g: 0, b: 0, alpha: 0 }),
  })
  expect([small.status, small.json.error.message]).toEqual([400, expect.stringContaining('markup is 95x64')])
})

// https://platform.openai.com/docs/api-reference/images/createEdit
test('an edit with every field is a form, and a fidelity only where the model knows it', async () => {
  const size = { width: 96, height: 64 }
  const image = await dataUri(size)
  const mask = await dataUri(size, { r: 0, g: 0, b: 0, alpha: 0 })
  const answer = await world.draw(
    {
      ...ask,
      model: 'gpt-image-1.5',
      images: [image, image],
      mask,
      input_fidelity: 'high',
      quality: 'medium',
      output_format: 'jpeg',
      user: 'user-1',
    },
    { path: '/v1/images/edits' },
  )
  expect(await measure(picturesOf(answer)[0])).toEqual({ ...square, format: 'jpeg' })
  const file = (filename: string) => expect.objectContaining({ filename, mediaType: 'image/png', ...size })
  expect(upstream.requests).toMatchObject([{ method: 'POST', path: '/v1/images/edits' }])
  expect(upstream.requests[0]?.headers['content-type']).toMatch(/^multipart\/form-data/)
  expect(upstream.requests[0]?.body).toEqual({
    'image[]': [file('image.png'), file('image.png')],
    mask: file('mask.png'),
    model: 'gpt-image-1.5',
    prompt,
    n: '1',
    size: '1024x1024',
    quality: 'medium',
    output_format: 'jpeg',
    safety_identifier: 'user-1',
    input_fidelity: 'high',
  })
})

describe('when OpenAI', () => {
  test('refuses, the caller is told as OpenAI would, without an echo', async () => {
    await upstream.play('moderation')
    const { status, json, text } = await world.draw(ask)
    expect([status, json.error.code]).toEqual([400, 'moderation_blocked'])
    expect(text).not.toContain('telescope')
    expect(text).not.toContain(fakeOpenAiKey)
  })

  test('makes only some of the pictures, they are delivered, and the rest is told', async () => {
    const picture = await fakePicture({ width: 32, height: 32, format: 'png', index: 0 })
    const error = {
      message: 'It was refused.',
      type: 'image_generation_user_error',
      code: 'moderation_blocked',
    }
    const data = [{ b64_json: picture.toString('base64') }, { error }]
    await upstream.play({ status: 200, body: { created: 1, data } })
    const answer = await world.draw({ model: 'gpt-image-2', prompt, n: 2, response_format: 'b64_json' })
    expect(picturesOf(answer)).toHaveLength(1)
    expect(answer.json.warnings).toHaveLength(1)
    expect(upstream.requests).toHaveLength(1)
  })

  test('or whoever stands in its place names an address, it is asked without the key, and once it is gone that is told', async () => {
    const url = `${upstream.origin}/files/gone.png`
    await upstream.play({ status: 200, body: { created: 1, data: [{ url }] } })
    const { status, json } = await world.draw(ask)
    expect([status, json.error.code]).toEqual([502, 'upstream_invalid_response'])
    const downloads = upstream.requests.filter(({ path }) => path === '/files/gone.png')
    expect(downloads.length).toBeGreaterThan(0)
    for (const { headers } of downloads) expect(JSON.stringify(headers)).not.toContain(fakeOpenAiKey)
    expect(upstream.requests.filter(({ method }) => method === 'POST')).toHaveLength(1)
  })
})

test('its models are listed as available, with what they cost', async () => {
  const response = await world.call('/v1/models')
  const { data } = (await response.json()) as { data: Json[] }
  const byId = new Map(data.map((model) => [model.id, model]))
  for (const id of ['gpt-image-2', 'gpt-image-1.5', 'chatgpt-image-latest', 'dall-e-2']) {
    expect(byId.get(id), id).toMatchObject({ available: true, owned_by: 'openai' })
  }
  expect(byId.get('gpt-image-2')).toMatchObject({
    features: { stream: true, edit: true, mask: true },
    pricing: { currency: 'USD', as_of: expect.any(String), items: expect.any(Array) },
  })
})
