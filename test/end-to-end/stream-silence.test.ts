/** Streams under settings and on connections that a careless server would break them on. */
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FakeUpstream, fakeOpenAiKey, startFakeOpenAi } from '../upstreams/openai.ts'
import { type DrawingWorld, openDrawingWorld } from './drawing-world.ts'

const cleanUps = new AsyncDisposableStack()
let upstream: FakeUpstream
let world: DrawingWorld
beforeAll(async () => {
  upstream = cleanUps.use(
    await startFakeOpenAi({ otherSize: { width: 32, height: 32 }, streams: { eventDelayMs: 1_200 } }),
  )
  // Silence is longer than a client may stand still.
  const yaml = 'server: { stream_comment_ms: 600000, write_timeout_ms: 1000 }'
  const env = { OPENAI_API_KEY: fakeOpenAiKey, OPENAI_BASE_URL: upstream.url }
  world = cleanUps.use(await openDrawingWorld(yaml, env))
})
afterAll(() => cleanUps.disposeAsync())

test('a client that reads is not cut off for the silence of the provider, and its connection goes on', async () => {
  const { hostname, port } = new URL(world.url)
  const socket = connect(Number(port), hostname)
  const body = JSON.stringify({
    model: 'gpt-image-2',
    prompt: 'a fox',
    stream: true,
    partial_images: 1,
    response_format: 'url',
  })
  const stream = [
    'POST /v1/images/generations HTTP/1.1',
    `host: ${hostname}`,
    `authorization: Bearer ${world.key}`,
    'content-type: application/json',
    'prefer: handling=strict',
    `content-length: ${body.length}`,
    '',
    body,
  ].join('\r\n')
  // The next request is there before the stream has begun.
  socket.write(`${stream}GET /healthz HTTP/1.1\r\nhost: ${hostname}\r\nconnection: close\r\n\r\n`)
  const said = await text(socket)
  const [first = '', ...later] = said.split('HTTP/1.1 ').slice(1)
  expect(first).toMatch(/^200 OK\r\n/)
  expect(first).toContain('"type":"image_generation.partial_image"')
  expect(first).toContain('"type":"image_generation.completed"')
  expect(first).toMatch(/x-gesso-task-id: image_/)
  expect(first).toMatch(/preference-applied: handling=strict/)
  expect(first.endsWith('0\r\n\r\n')).toBe(true)
  expect(later).toHaveLength(1)
  expect(later[0]).toMatch(/^200 OK\r\n/)
})
