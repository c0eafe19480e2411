/** Streaming with the official client, nothing changed but base URL, key and model. */
import OpenAI, { APIError, BadRequestError, toFile } from 'openai'
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Gateway, openGateway, pictureOf, plainPng } from './open-gateway.ts'

let gateway: Gateway
let client: OpenAI
beforeAll(async () => {
  gateway = await openGateway({ fake: { otherSize: { width: 96, height: 64 } } })
  client = new OpenAI({ baseURL: gateway.baseURL, apiKey: gateway.apiKey })
})
afterEach(() => gateway.upstream.play('ok'))
afterAll(() => gateway[Symbol.asyncDispose]())

const prompt = 'a red fox in a snowy forest'
const collage = { model: 'gesso-collage', prompt, size: '192x128', stream: true } as const
const gpt = { model: 'gpt-image-2', prompt, size: '1536x1024', stream: true } as const

type Event = OpenAI.ImageGenStreamEvent | OpenAI.ImageEditStreamEvent

async function eventsOf<One>(stream: AsyncIterable<One>): Promise<One[]> {
  const events: One[] = []
  for await (const event of stream) events.push(event)
  return events
}

const kindOf = (event: Event) =>
  'partial_image_index' in event ? `${event.type} ${event.partial_image_index}` : event.type

const bytesOf = (event: Event | undefined) => Buffer.from(event?.b64_json ?? '', 'base64')

describe('partial pictures', () => {
  test('of the illustrator come in order, each another stage of the picture, and then the picture with its usage', async () => {
    const events = await eventsOf(await client.images.generate({ ...collage, partial_images: 3 }))
    expect(events.map(kindOf)).toEqual([
      'image_generation.partial_image 0',
      'image_generation.partial_image 1',
      'image_generation.partial_image 2',
      'image_generation.completed',
    ])
    for (const event of events) {
      expect(await pictureOf(bytesOf(event))).toBe('png 192x128')
      expect(event).toMatchObject({ size: '192x128', output_format: 'png', created_at: expect.any(Number) })
      expect([event.quality, event.background]).toEqual([expect.any(String), expect.any(String)])
    }
    const pixels = await Promise.all(
      events.map(async (event) => (await sharp(bytesOf(event)).raw().toBuffer()).toString('base64')),
    )
    expect(new Set(pixels).size).toBe(4)
    expect(events.at(-1)).toMatchObject({ usage: { generated_images: 1 }, image_id: expect.any(String) })
  })

  test('of OpenAI are passed on as they come, and the final event has the usage', async () => {
    const events = await eventsOf(await client.images.generate({ ...gpt, partial_images: 3 }))
    expect(events.map(kindOf)).toEqual([
      'image_generation.partial_image 0',
      'image_generation.partial_image 1',
      'image_generation.partial_image 2',
      'image_generation.completed',
    ])
    expect(gateway.lastAsked()).toMatchObject({ stream: true, partial_images: 3, n: 1 })
    const [final] = events.slice(-1)
    expect(final).toMatchObject({
      usage: { total_tokens: expect.any(Number), input_tokens_details: expect.any(Object) },
    })
    expect(await pictureOf(bytesOf(final))).toBe('png 1536x1024')
  })

  test('are none where none are wished for', async () => {
    for (const model of ['gesso-collage', 'gpt-image-2']) {
      const asked = model === 'gpt-image-2' ? gpt : collage
      const events = await eventsOf(await client.images.generate(asked))
      expect(events.map(kindOf)).toEqual(['image_generation.completed'])
    }
  })

  test('of an edit have the events of edits', async () => {
    const image = await toFile(await plainPng({ width: 96, height: 64 }), 'a.png', { type: 'image/png' })
    for (const model of ['gesso-collage', 'gpt-image-2']) {
      const edit = { model, prompt: 'add a red fox', image, stream: true, partial_images: 2 } as const
      const events = await eventsOf(await client.images.edit(edit))
      expect(events.map(kindOf)).toEqual([
        'image_edit.partial_image 0',
        'image_edit.partial_image 1',
        'image_edit.completed',
      ])
    }
  })

  test('of several pictures say whose they are, and usage is told once', async () => {
    for (const asked of [{ ...collage, seed: 3 }, gpt]) {
      const stream = await client.images.generate({ ...asked, n: 2, partial_images: 1 })
      const events = (await eventsOf(stream)) as (Event & { index: number; usage?: object })[]
      const partial = events.filter(({ type }) => type === 'image_generation.partial_image')
      expect(partial.map(({ index }) => index).sort()).toEqual([0, 1])
      const completed = events.slice(2)
      expect(completed.map(({ type, index }) => [type, index])).toEqual([
        ['image_generation.completed', 0],
        ['image_generation.completed', 1],
      ])
      expect(completed.map(({ usage }) => usage !== undefined)).toEqual([false, true])
    }
  })

  test('of several, of which one fails, keep their places, and the loss is said', async () => {
    await gateway.upstream.play('500', 1)
    const stream = await client.images.generate({ ...gpt, n: 3, partial_images: 1 })
    const events = (await eventsOf(stream)) as (Event & { index: number; warnings?: { param: string }[] })[]
    const placesOf = (kind: string) =>
      events.filter(({ type }) => type === `image_generation.${kind}`).map(({ index }) => index)
    expect(placesOf('completed')).toHaveLength(2)
    expect(placesOf('partial_image').sort()).toEqual(placesOf('completed'))
    expect(events.at(-1)?.warnings?.map(({ param }) => param)).toContain('n')
  })

  test('carry the label where Gesso owes one', async () => {
    const labelled = { ...collage, size: '512x512', partial_images: 1, watermark: true, seed: 5 } as const
    const [partial] = await eventsOf(await client.images.generate(labelled))
    const [plain] = await eventsOf(
      await client.images.generate({ ...labelled, watermark: false } as object as typeof labelled),
    )
    const corner = { left: 256, top: 448, width: 256, height: 64 }
    const cornerOf = (event: Event | undefined) =>
      sharp(bytesOf(event)).removeAlpha().extract(corner).raw().toBuffer()
    expect((await cornerOf(partial)).equals(await cornerOf(plain))).toBe(false)
  })
})

test('a link comes to those who ask for one', async () => {
  const stream = await client.images.generate({ ...collage, response_format: 'url' })
  const [event] = (await eventsOf(stream)) as { url?: string; b64_json?: string }[]
  expect(event?.b64_json).toBeUndefined()
  const response = await fetch(event?.url ?? '')
  expect(await pictureOf(Buffer.from(await response.arrayBuffer()))).toBe('png 192x128')
})

describe('errors', () => {
  test('before the first event have their ordinary status', async () => {
    await gateway.upstream.play('moderation')
    for (const partial_images of [0, 2]) {
      const refused = client.images.generate({ ...gpt, partial_images })
      await expect(refused).rejects.toBeInstanceOf(BadRequestError)
      await expect(refused).rejects.toMatchObject({ status: 400, code: 'moderation_blocked' })
    }
    await expect(client.images.generate({ ...gpt, partial_images: 4 })).rejects.toMatchObject({
      status: 400,
      param: 'partial_images',
    })
  })

  test('after it are an event that the client throws', async () => {
    // The stage is on its way to the client before the provider goes on to fail.
    const streams = { endsWith: 'server error', eventDelayMs: 150 } as const
    await using failing = await openGateway({ fake: { otherSize: { width: 96, height: 64 }, streams } })
    const caller = new OpenAI({ baseURL: failing.baseURL, apiKey: failing.apiKey })
    const seen: string[] = []
    const reading = (async () => {
      const stream = await caller.images.generate({ ...gpt, partial_images: 1 })
      for await (const event of stream) seen.push(kindOf(event))
    })()
    await expect(reading).rejects.toBeInstanceOf(APIError)
    await expect(reading).rejects.toMatchObject({ code: 'upstream_failed', type: 'upstream_error' })
    expect(seen).toEqual(['image_generation.partial_image 0'])
  })
})
