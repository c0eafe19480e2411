import { createHash } from 'node:crypto'
import OpenAI, { toFile } from 'openai'
import sharp from 'sharp'
import { afterEach, describe, expect, it } from 'vitest'
import { type FakeOpenAiOptions, fakeOpenAiKey, startFakeOpenAi } from './openai.ts'

const opened: { close(): unknown }[] = []
afterEach(async () => {
  for (const resource of opened.splice(0)) await resource.close()
})

const small = { width: 256, height: 192 }

/** The fake, and the official client that judges it. */
async function start(streams?: FakeOpenAiOptions['streams'], options: FakeOpenAiOptions = {}) {
  const fake = await startFakeOpenAi({ otherSize: small, streams, ...options })
  opened.push(fake)
  const client = new OpenAI({ apiKey: fakeOpenAiKey, baseURL: fake.url, maxRetries: 0, timeout: 5_000 })
  return { fake, client }
}

const ask = { model: 'gpt-image-2', prompt: 'a heron at dawn', stream: true } as const

async function gather<Event>(stream: AsyncIterable<Event>): Promise<Event[]> {
  const events: Event[] = []
  for await (const event of stream) events.push(event)
  return events
}

async function coloursOf(
  base64: string,
): Promise<{ format: string; width: number; height: number; hash: string }> {
  const bytes = Buffer.from(base64, 'base64')
  const { format, width, height } = await sharp(bytes).metadata()
  return { format, width, height, hash: createHash('sha256').update(bytes).digest('hex') }
}

describe('the official client, watching the fake OpenAI', () => {
  it('sees the stages of a picture and then the picture, each another, all of one size', async () => {
    const { fake, client } = await start(undefined, { noisy: true })
    const events = await gather(
      await client.images.generate({ ...ask, partial_images: 3, output_format: 'jpeg', quality: 'low' }),
    )
    expect(events.map(({ type }) => type)).toEqual([
      ...Array(3).fill('image_generation.partial_image'),
      'image_generation.completed',
    ])
    expect(
      events.map((event) => ('partial_image_index' in event ? event.partial_image_index : null)),
    ).toEqual([0, 1, 2, null])
    const pictures = await Promise.all(events.map(({ b64_json }) => coloursOf(b64_json)))
    for (const picture of pictures) expect(picture).toMatchObject({ ...small, format: 'jpeg' })
    expect(new Set(pictures.map(({ hash }) => hash)).size).toBe(4)
    for (const event of events) {
      expect(event).toMatchObject({
        size: '256x192',
        quality: 'low',
        output_format: 'jpeg',
        background: 'opaque',
      })
      expect(event.created_at).toBeGreaterThan(1_700_000_000)
    }
    expect(fake.requests[0]?.body).toMatchObject({ stream: true, partial_images: 3 })
  })

  it('is told the usage with the picture, a hundred tokens for each stage in it', async () => {
    const { client } = await start()
    const usageWith = async (partial_images: number) => {
      const [event] = (await gather(await client.images.generate({ ...ask, partial_images }))).slice(-1)
      return event?.type === 'image_generation.completed' ? event.usage : undefined
    }
    const plain = await usageWith(0)
    expect(plain).toMatchObject({
      input_tokens: 4,
      input_tokens_details: { text_tokens: 4, image_tokens: 0 },
    })
    expect(plain).not.toHaveProperty('output_tokens_details')
    expect(plain?.total_tokens).toBe(4 + (plain?.output_tokens ?? 0))
    expect((await usageWith(2))?.output_tokens).toBe((plain?.output_tokens ?? 0) + 200)
  })

  it('watches an edit', async () => {
    const { fake, client } = await start({ done: true })
    const red = await sharp({ create: { ...small, channels: 3, background: '#ff0000' } })
      .png()
      .toBuffer()
    const image = await toFile(red, 'a.png', { type: 'image/png' })
    const events = await gather(await client.images.edit({ ...ask, image, partial_images: 1 }))
    expect(events.map(({ type }) => type)).toEqual(['image_edit.partial_image', 'image_edit.completed'])
    expect(fake.requests[0]?.body).toMatchObject({ stream: 'true', partial_images: '1' })
  })

  it('may get the picture before its stages', async () => {
    const { client } = await start({ finalFirst: true })
    const events = await gather(await client.images.generate({ ...ask, partial_images: 1 }))
    expect(events.map(({ type }) => type)).toEqual([
      'image_generation.completed',
      'image_generation.partial_image',
    ])
  })

  it('gets each event when it is sent, and not at the end', async () => {
    const { client } = await start({ eventDelayMs: 40 })
    const times: number[] = []
    for await (const _ of await client.images.generate({ ...ask, partial_images: 1 }))
      times.push(performance.now())
    expect(times).toHaveLength(2)
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(25)
  })

  it.each([
    ['moderation', { code: 'moderation_blocked', type: 'image_generation_user_error', status: undefined }],
    ['server error', { type: 'server_error', status: undefined }],
  ] as const)('meets the error "%s" after the first stages', async (endsWith, expected) => {
    const { client } = await start({ endsWith })
    const seen: string[] = []
    const watching = async () => {
      for await (const { type } of await client.images.generate({ ...ask, partial_images: 2 }))
        seen.push(type)
    }
    await expect(watching()).rejects.toMatchObject(expected)
    expect(seen).toHaveLength(2)
  })

  it('sees no picture where the stream ends too early, or is cut', async () => {
    const { client } = await start({ endsWith: 'nothing' })
    const events = await gather(await client.images.generate({ ...ask, partial_images: 1 }))
    expect(events.map(({ type }) => type)).toEqual(['image_generation.partial_image'])
    const { client: another } = await start({ cutAfterEvents: 1 })
    const stream = await another.images.generate({ ...ask, partial_images: 3 })
    await expect(gather(stream)).rejects.toThrow()
  })

  it.each<[string, object, object]>([
    ['too many stages', { partial_images: 4 }, { code: 'integer_above_max_value', param: 'partial_images' }],
    ['less than none', { partial_images: -1 }, { code: 'integer_below_min_value', param: 'partial_images' }],
    ['half a stage', { partial_images: 0.5 }, { code: 'invalid_type', param: 'partial_images' }],
    ['stages without a stream', { stream: false, partial_images: 1 }, { param: 'partial_images' }],
    ['a stream of "yes"', { stream: 'yes' }, { code: 'invalid_type', param: 'stream' }],
    ['two pictures at once', { n: 2 }, { param: 'n' }],
  ])('is refused %s, as JSON', async (_, change, expected) => {
    const { client } = await start()
    const refused = client.images.generate({ ...ask, ...change })
    await expect(refused).rejects.toMatchObject({ status: 400, ...expected })
  })

  it('meets failures before the stream as ever', async () => {
    const { fake, client } = await start()
    await fake.play('moderation')
    await expect(client.images.generate(ask)).rejects.toMatchObject({
      status: 400,
      code: 'moderation_blocked',
    })
  })
})
