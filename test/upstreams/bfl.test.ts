import { createHash } from 'node:crypto'
import { createBlackForestLabs } from '@ai-sdk/black-forest-labs'
import { generateImage } from 'ai'
import sharp from 'sharp'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type FakeBflOptions, fakeBflKey, startFakeBfl } from './bfl.ts'

const opened: { close(): unknown }[] = []
afterEach(async () => {
  for (const resource of opened.splice(0)) await resource.close()
})

/** The fake, and the vendor's client of the AI SDK that judges it. */
async function start(options: FakeBflOptions = {}, apiKey = fakeBflKey) {
  const fake = await startFakeBfl(options)
  opened.push(fake)
  const vendor = createBlackForestLabs({
    apiKey,
    baseURL: fake.url,
    pollIntervalMillis: 5,
    pollTimeoutMillis: 100,
  })
  const draw = (model: string, call: Partial<Parameters<typeof generateImage>[0]> = {}) =>
    generateImage({ prompt: 'a heron at dawn', ...call, model: vendor.image(model), maxRetries: 0 })
  return { fake, draw }
}

async function measure(bytes: Uint8Array) {
  const { width, height, format } = await sharp(bytes).metadata()
  return { width, height, format }
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

async function plain(width: number, height: number, background: string) {
  return sharp({ create: { width, height, channels: 3, background } })
    .png()
    .toBuffer()
}

const red = await plain(96, 64, '#ff0000')
const white = await plain(96, 64, '#ffffff')
const square = await plain(64, 64, '#ffffff')
const translucent = await sharp(white).ensureAlpha(0.5).png().toBuffer()

describe("the vendor's client, talking to the fake Black Forest Labs", () => {
  it('draws with FLUX.2 in pixels, and is told seed, price and megapixels', async () => {
    const { fake, draw } = await start()
    await fake.play('pending')
    const blackForestLabs = { width: 1_536, height: 1_024, outputFormat: 'png', safetyTolerance: 5 }
    const drawing = draw('flux-2-pro', { seed: 42, providerOptions: { blackForestLabs } })
    await expect.poll(() => fake.requests.length, { interval: 2 }).toBeGreaterThan(2)
    await fake.play('ok')
    const { image, providerMetadata } = await drawing
    expect(await measure(image.uint8Array)).toEqual({ width: 1_536, height: 1_024, format: 'png' })
    const told = { seed: 42, cost: 4.5, inputMegapixels: 0, outputMegapixels: 2, duration: 3.5 }
    expect(providerMetadata.blackForestLabs?.images[0]).toMatchObject(told)
    expect(fake.submissions()).toBe(1)
    const paths = fake.requests.map(({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`)
    expect(paths[0]).toBe('POST /v1/flux-2-pro')
    expect(new Set(paths.slice(1, -1))).toEqual(new Set(['GET /v1/get_result']))
    expect(paths.at(-1)).toMatch(/^GET \/files\/[0-9a-f]{12}\.png$/)
  })

  it.each([
    ['flux-kontext-pro', { aspectRatio: '16:9' }, { width: 1_360, height: 768, format: 'png' }],
    ['flux-pro-1.1-ultra', { aspectRatio: '9:21' }, { width: 1_328, height: 3_120, format: 'jpeg' }],
    ['flux-pro-1.1', {}, { width: 1_024, height: 768, format: 'jpeg' }],
    ['flux-2-klein-4b', {}, { width: 1_024, height: 1_024, format: 'jpeg' }],
  ] as const)('draws with %s and %j', async (model, call, expected) => {
    const { draw } = await start()
    expect(await measure((await draw(model, call)).image.uint8Array)).toEqual(expected)
  })

  it('edits pictures that come as base64, and gets one of them back', async () => {
    const { fake, draw } = await start()
    const { image } = await draw('flux-kontext-max', { prompt: { text: 'with boats', images: [red, white] } })
    expect(await measure(image.uint8Array)).toMatchObject({ width: 1_248, height: 832 })
    expect((await sharp(image.uint8Array).stats()).dominant).toMatchObject({ r: 248, g: 8, b: 8 })
    expect(fake.requests[0]?.body).toMatchObject({
      input_image: { sha256: sha256(red) },
      input_image_2: { sha256: sha256(white) },
    })
  })

  it('fills the white part of a mask', async () => {
    const { fake, draw } = await start()
    const { image } = await draw('flux-pro-1.0-fill', {
      prompt: { text: 'a hat', images: [red], mask: white },
    })
    expect(await measure(image.uint8Array)).toMatchObject({ width: 96, height: 64 })
    expect(fake.requests[0]?.body).toMatchObject({ image: { sha256: sha256(red) }, mask: { width: 96 } })
  })

  it.each<[string, string, object]>([
    ['an edge that is no multiple of 16', 'flux-2-pro', { width: 1_000, height: 1_000 }],
    ['unknown fields', 'flux-2-klein-4b', { steps: 4 }],
    ['a tolerance beyond its own', 'flux-2-max', { safetyTolerance: 6 }],
    ['a picture that is none', 'flux-pro-1.1', { imagePrompt: 'SGVsbG8=' }],
  ])('is refused %s, as FastAPI would', async (_, model, options) => {
    const { draw } = await start()
    const drawing = draw(model, { providerOptions: { blackForestLabs: { ...options } } })
    await expect(drawing).rejects.toMatchObject({
      statusCode: 422,
      message: expect.stringMatching(/^\[\{"type":"[a-z_]+","loc":\["body",/),
    })
  })

  it.each([
    ['a mask of another size', square],
    ['a mask with transparency', translucent],
  ])('is refused %s', async (_, mask) => {
    const { draw } = await start()
    const drawing = draw('flux-pro-1.0-fill', { prompt: { text: 'a hat', images: [red], mask } })
    await expect(drawing).rejects.toMatchObject({ statusCode: 422, message: expect.stringContaining('Mask') })
  })

  it('is refused with a bad key, and for a model that is none', async () => {
    const { draw } = await start({}, 'bfl-wrong')
    await expect(draw('flux-2-pro')).rejects.toMatchObject({ statusCode: 403, message: 'Not authenticated' })
    const { draw: drawToo } = await start()
    await expect(drawToo('flux-9')).rejects.toMatchObject({ statusCode: 404 })
  })

  it('meets failures on demand, and then none', async () => {
    const { fake, draw } = await start()
    for (const [scenario, statusCode] of [
      ['401', 403],
      ['402', 402],
      ['429', 429],
      ['500', 500],
      ['503', 503],
    ] as const) {
      await fake.play(scenario, 1)
      await expect(draw('flux-2-pro')).rejects.toMatchObject({ statusCode })
    }
    await fake.play('failed work')
    await expect(draw('flux-2-pro')).rejects.toThrow('generation failed')
    // The client does not know that a refusal is an end.
    await fake.play('moderation')
    await expect(draw('flux-2-pro')).rejects.toThrow('timed out')
    await fake.play('empty')
    await expect(draw('flux-2-pro')).rejects.toThrow('missing result.sample')
    await fake.play('expired')
    await expect(draw('flux-2-pro')).rejects.toMatchObject({ statusCode: 403 })
    await fake.play('ok')
    expect((await draw('flux-2-pro')).images).toHaveLength(1)
  })
})

describe('the fake Black Forest Labs', () => {
  const reply = z.looseObject({
    id: z.string(),
    polling_url: z.string().optional(),
    status: z.string().optional(),
  })
  const headers = { 'x-key': fakeBflKey, 'content-type': 'application/json' }
  async function call(url: string, body?: object) {
    const init = body ? { method: 'POST', headers, body: JSON.stringify(body) } : { headers }
    const response = await fetch(url, init)
    const json = reply.parse(await response.json())
    return { status: response.status, json }
  }

  it('keeps work back while it is told to, and knows none that it was not given', async () => {
    const { fake } = await start()
    await fake.play('pending')
    const { json } = await call(`${fake.url}/flux-2-pro`, { prompt: 'a heron' })
    const shape = { polling_url: `${fake.url}/get_result?id=${json.id}`, cost: 3, input_mp: 0, output_mp: 1 }
    expect(json).toEqual({ id: expect.any(String), ...shape })
    expect((await call(json.polling_url ?? '')).json).toMatchObject({
      id: json.id,
      status: 'Pending',
      result: null,
    })
    await fake.play('ok')
    expect((await call(json.polling_url ?? '')).json).toMatchObject({
      status: 'Ready',
      result: { prompt: 'a heron' },
    })
    const unknown = await call(`${fake.url}/get_result?id=nobody`)
    expect(unknown).toMatchObject({ status: 404, json: { id: 'nobody', status: 'Task not found' } })
  })

  it('takes its time, and at most four megapixels', async () => {
    const { fake } = await start({ jobMs: 60_000 })
    const { json } = await call(`${fake.url}/flux-2-flex`, { prompt: 'a heron', width: 2_048, height: 2_048 })
    expect(json).toMatchObject({ cost: 20, output_mp: 4 })
    expect((await call(json.polling_url ?? '')).json).toMatchObject({ status: 'Pending', progress: 0 })
    const larger = { prompt: 'a heron', width: 2_064, height: 2_048 }
    const refused = await fetch(`${fake.url}/flux-2-flex`, {
      method: 'POST',
      headers,
      body: JSON.stringify(larger),
    })
    expect(refused.status).toBe(422)
    expect(await refused.json()).toMatchObject({
      detail: [{ loc: ['body', 'width'], msg: expect.stringContaining('4 megapixels') }],
    })
  })

  it('goes through states that nobody knows', async () => {
    const { fake } = await start()
    await fake.play('strange status')
    const { json } = await call(`${fake.url}/flux-2-pro`, { prompt: 'a heron' })
    const states = []
    for (let question = 0; question < 3; question += 1)
      states.push((await call(json.polling_url ?? '')).json.status)
    expect(states).toEqual(['Daydreaming', 'Daydreaming', 'Ready'])
  })

  it('does not say where to ask when it is told whom to tell', async () => {
    const { fake } = await start()
    const webhook = { webhook_url: 'http://127.0.0.1:9/hook', webhook_secret: 'secret' }
    const { json } = await call(`${fake.url}/flux-2-pro`, { prompt: 'a heron', ...webhook })
    expect(json).toMatchObject({ status: 'Pending', webhook_url: 'http://127.0.0.1:9/hook', cost: 3 })
    expect(json).not.toHaveProperty('polling_url')
  })
})
