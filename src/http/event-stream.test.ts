/** The stream of events, read as a client reads it: quickly, slowly, or not to its end. */
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep, setImmediate as tick } from 'node:timers/promises'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { describe, expect, test } from 'vitest'
import { createEventBuffer, type EventStreamOptions, openEventStream } from './event-stream.ts'
import { Base64 } from './stream-json.ts'

function open(options: Partial<EventStreamOptions> = {}) {
  const buffer = createEventBuffer(1_000)
  return openEventStream({ commentEveryMs: 60_000, buffer, patienceMs: () => 60_000, ...options })
}

function read(body: string): { events: EventSourceMessage[]; comments: string[] } {
  const events: EventSourceMessage[] = []
  const comments: string[] = []
  const parser = createParser({
    onEvent: (event) => events.push(event),
    onComment: (comment) => comments.push(comment),
  })
  parser.feed(body)
  return { events, comments }
}

describe('events', () => {
  test('come in their order, each one JSON in one line, pictures as base64', async () => {
    const events = open()
    const bytes = Buffer.from([...Array(100_000).keys()].map((one) => one % 251))
    events.offer('partial', { index: 0, text: 'line\nbreak' }, 10)
    events.send('completed', { b64_json: new Base64(bytes) }, bytes.length)
    events.end()
    const { events: got } = read(await text(events.stream))
    expect(got.map(({ event }) => event)).toEqual(['partial', 'completed'])
    expect(JSON.parse(got[0]?.data ?? '')).toEqual({ index: 0, text: 'line\nbreak' })
    expect(Buffer.from(JSON.parse(got[1]?.data ?? '').b64_json, 'base64').equals(bytes)).toBe(true)
  })

  test('begin the answer, and nothing does before', async () => {
    const events = open()
    expect(events.hasBegun).toBe(false)
    events.send('error', {}, 0)
    expect(events.hasBegun).toBe(true)
    await events.begun
    events.stream.destroy()
  })
})

describe('a client that is slow', () => {
  test('loses old partial pictures for new ones, within the room there is, and never a finished one', async () => {
    const buffer = createEventBuffer(100)
    const events = open({ buffer })
    for (const index of [0, 1, 2, 3, 4]) events.offer('partial', { index }, 40)
    events.send('completed', { done: true }, 1_000_000)
    events.end()
    const { events: got } = read(await text(events.stream))
    expect(got.map(({ event, data }) => `${event} ${data}`)).toEqual([
      'partial {"index":3}',
      'partial {"index":4}',
      'completed {"done":true}',
    ])
    expect(buffer.take(100)).toBe(true)
  })

  test('shares the room with the others, and gives it back when it leaves', async () => {
    const buffer = createEventBuffer(100)
    const [greedy, other] = [open({ buffer }), open({ buffer })]
    greedy.offer('partial', {}, 100)
    other.offer('partial', {}, 10)
    expect(other.hasBegun).toBe(false)
    greedy.stream.destroy()
    await once(greedy.stream, 'close')
    other.offer('partial', {}, 10)
    expect(other.hasBegun).toBe(true)
    greedy.offer('partial', {}, 10)
    greedy.send('completed', {}, 10)
    expect(buffer.take(91)).toBe(false)
    other.stream.destroy()
  })

  test('holds its room until an event is read to its end, and longer patience goes with it', async () => {
    const waiting: number[] = []
    const patienceMs = (bytes: number) => {
      waiting.push(bytes)
      return 60_000
    }
    const buffer = createEventBuffer(600_000)
    const events = open({ buffer, patienceMs })
    events.offer('partial', { b64_json: new Base64(Buffer.alloc(500_000)) }, 500_000)
    // A first piece is enough: the rest stays in memory for as long as the client does not go on.
    events.stream.read()
    await once(events.stream, 'readable')
    expect(buffer.take(200_000)).toBe(false)
    events.send('completed', {}, 7)
    events.end()
    expect(waiting).toEqual([500_007])
    await text(events.stream)
    expect(buffer.take(600_000)).toBe(true)
    buffer.release(600_000)
    const left = open({ buffer })
    left.offer('partial', { b64_json: new Base64(Buffer.alloc(500_000)) }, 500_000)
    left.stream.read()
    await once(left.stream, 'readable')
    left.stream.destroy()
    await once(left.stream, 'close')
    expect(buffer.take(600_001)).toBe(false)
    expect(buffer.take(600_000)).toBe(true)
  })

  test('is let go when it does not take what is left in time', async () => {
    const waiting: number[] = []
    const patienceMs = (bytes: number) => {
      waiting.push(bytes)
      return 20
    }
    const events = open({ patienceMs })
    events.send('completed', { b64_json: new Base64(Buffer.alloc(500_000)) }, 500_000)
    events.end()
    await once(events.stream, 'close')
    expect(waiting).toEqual([500_000])
    expect(events.stream.destroyed).toBe(true)
  })
})

describe('comments', () => {
  test('show that the work goes on, begin the answer, and do not pile up', async () => {
    const events = open({ commentEveryMs: 15 })
    await sleep(40)
    expect(events.hasBegun).toBe(false)
    events.keepAlive()
    await events.begun
    // Unread for several times as long as a comment takes.
    await sleep(100)
    const body = text(events.stream)
    await tick()
    events.send('completed', {}, 0)
    events.end()
    const { events: got, comments } = read(await body)
    expect(got).toHaveLength(1)
    expect(comments.length).toBeGreaterThan(0)
    expect(comments.length).toBeLessThan(5)
  })
})
