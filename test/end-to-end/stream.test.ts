/** A stream of events beyond what a well-behaved client sees of it: silence, slowness, and leaving in the middle. */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { createParser } from 'eventsource-parser'
import sharp from 'sharp'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type FakeUpstream, fakeOpenAiKey, startFakeOpenAi } from '../upstreams/openai.ts'
import { type DrawingWorld, type Json, openDrawingWorld } from './drawing-world.ts'

const cleanUps = new AsyncDisposableStack()
let upstream: FakeUpstream
let world: DrawingWorld
beforeAll(async () => {
  // About 4 MB each: far more than the sockets between here and there take unread.
  upstream = cleanUps.use(
    await startFakeOpenAi({ noisy: true, otherSize: { width: 1280, height: 1024 }, latencyMs: 400 }),
  )
  const bounds =
    'server: { stream_comment_ms: 100, stream_buffer_bytes: 6000000, write_timeout_ms: 1000 }\nmodels: [{ id: own, provider: openai, upstream_model: gpt-image-2, dialect: gpt-image, sizes: [1024x1024] }]'
  const env = { OPENAI_API_KEY: fakeOpenAiKey, OPENAI_BASE_URL: upstream.url }
  world = cleanUps.use(await openDrawingWorld(bounds, env))
})
beforeEach(() => upstream.play('ok'))
afterAll(() => cleanUps.disposeAsync())

const asked = { model: 'gpt-image-2', prompt: 'a fox', stream: true, partial_images: 3 }

/** Sends the request and answers when the head of the answer is there; nothing of its body is read. */
function open(body: object): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${world.key}`, 'content-type': 'application/json' }
    const url = `${world.url}/v1/images/generations`
    const call = httpRequest(url, { method: 'POST', headers, agent: false }, resolve)
    call.once('error', reject)
    call.end(JSON.stringify(body))
  })
}

function read(body: string): { events: { event?: string; json: Json }[]; comments: string[] } {
  const events: { event?: string; json: Json }[] = []
  const comments: string[] = []
  const parser = createParser({
    onEvent: ({ event, data }) => events.push({ event, json: JSON.parse(data) }),
    onComment: (comment) => comments.push(comment),
  })
  parser.feed(body)
  return { events, comments }
}

const taskOf = async (response: IncomingMessage): Promise<Json> =>
  (await world.call(`/v1/images/generations/${response.headers['x-gesso-task-id']}`)).json()

test('while a model that shows nothing is at work, comments come, and then the picture', async () => {
  const response = await open({ ...asked, partial_images: 0 })
  expect(response.headers).toMatchObject({
    'content-type': expect.stringContaining('text/event-stream'),
    'cache-control': expect.stringContaining('no-cache'),
    'x-gesso-task-id': expect.stringMatching(/^image_/),
    'x-ratelimit-limit-requests': expect.any(String),
  })
  const { events, comments } = read(await text(response))
  expect(comments.length).toBeGreaterThanOrEqual(2)
  expect(events).toMatchObject([
    {
      event: 'image_generation.completed',
      json: {
        type: 'image_generation.completed',
        id: response.headers['x-gesso-task-id'],
        cost: { source: 'unmetered' },
      },
    },
  ])
})

test('a model that shows no unfinished pictures says so beside the final one, and under strict at once', async () => {
  const own = { ...asked, model: 'own', size: '1024x1024' }
  const { events } = read(await text(await open(own)))
  expect(events).toMatchObject([
    {
      json: {
        warnings: expect.arrayContaining([
          expect.objectContaining({ param: 'partial_images', code: 'unsupported_parameter' }),
        ]),
      },
    },
  ])
  const strict = await world.draw(own, { headers: { prefer: 'handling=strict' } })
  expect([strict.status, strict.json.error.param]).toEqual([400, 'partial_images'])
  const whole = await world.draw({ ...asked, stream: false })
  expect(whole.json.warnings).toMatchObject([{ param: 'partial_images', code: 'no_effect' }])
})

/** A stream of OpenAI's in one piece, with stages as heavy as real pictures. */
async function heavyStream(stages: number): Promise<Buffer> {
  const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const
  const size = { width: 1280, height: 1024 }
  const picture = sharp({ create: { ...size, channels: 3, background: 'red', noise } })
  const b64_json = (await picture.png({ compressionLevel: 1 }).toBuffer()).toString('base64')
  const event = (type: string, more: object) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, b64_json, ...more })}\n\n`
  const partial = Array.from({ length: stages }, (_, index) =>
    event('image_generation.partial_image', { partial_image_index: index }),
  )
  return Buffer.from([...partial, event('image_generation.completed', {})].join(''))
}

test('a client that does not read loses partial pictures and never the final one', async () => {
  const body = await heavyStream(6)
  await upstream.play({ status: 200, headers: { 'content-type': 'text/event-stream' }, body })
  const response = await open(asked)
  await expect.poll(async () => (await taskOf(response)).status, { timeout: 15_000 }).toBe('SUCCEEDED')
  const { events } = read(await text(response))
  const partial = events.filter(({ event }) => event === 'image_generation.partial_image')
  expect(partial.length).toBeLessThan(6)
  // What it does get are the newest.
  if (partial.length > 1) expect(partial.at(-1)?.json.partial_image_index).toBe(5)
  const last = events.at(-1)
  expect(last?.event).toBe('image_generation.completed')
  expect(Buffer.from(last?.json.b64_json, 'base64').length).toBeGreaterThan(2_000_000)
})

test('a client that never reads is cut off, and its picture can be fetched', async () => {
  const response = await open(asked)
  await expect.poll(async () => (await taskOf(response)).status, { timeout: 15_000 }).toBe('SUCCEEDED')
  // Standing still is seen by the server; here only the end of the connection is.
  const ended = new Promise<void>((done) => response.socket.once('close', () => done()))
  setTimeout(() => response.resume(), 2_500)
  await ended
  expect(response.complete).toBe(false)
  const { result } = await taskOf(response)
  expect((await (await fetch(result.data[0].url)).arrayBuffer()).byteLength).toBeGreaterThan(1_000_000)
})

test('a client that leaves in the middle does not lose the picture', async () => {
  const response = await open(asked)
  response.destroy()
  expect((await taskOf(response)).status).toBe('IN_PROGRESS')
  await expect.poll(async () => (await taskOf(response)).status, { timeout: 15_000 }).toBe('SUCCEEDED')
  const { result } = await taskOf(response)
  expect((await (await fetch(result.data[0].url)).arrayBuffer()).byteLength).toBeGreaterThan(1_000_000)
})

test('what fails before the first event has its status, and what fails after it is an event', async () => {
  await upstream.play('500')
  const late = read(await text(await open(asked)))
  expect(late.events).toMatchObject([
    { event: 'error', json: { type: 'error', error: { code: 'upstream_failed', param: null } } },
  ])
  const early = await open({ ...asked, prompt: '' })
  expect(early.statusCode).toBe(400)
  expect(early.headers['content-type']).toContain('application/json')
  early.resume()
})

test('a dry run is no stream', async () => {
  const { json } = await world.draw({ ...asked, dry_run: true })
  expect(json).toMatchObject({ object: 'image.generation.estimate' })
})
