/**
 * The official client repeats a call by itself, without a key: a picture that is being made, or was made and never arrived,
 * must not be made and paid for twice. What tells a retry is its count (`docs/idempotency.md`).
 */
import { connect } from 'node:net'
import { sql } from 'kysely'
import OpenAI, { toFile } from 'openai'
import sharp from 'sharp'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openTurnstileWorld, type TurnstileWorld } from '../end-to-end/turnstile.ts'

let gateway: TurnstileWorld
beforeAll(async () => {
  gateway = await openTurnstileWorld()
})
afterAll(() => gateway[Symbol.asyncDispose]())
beforeEach(async () => {
  gateway.turnstile.release()
  await gateway.upstream.play('ok')
})

/** A client, and how often it has sent something. `onSent` is told the number of each attempt, from 1. */
function newClient(options: { timeout?: number; onSent?(attempt: number): void } = {}) {
  let sent = 0
  const client = new OpenAI({
    baseURL: `${gateway.world.url}/v1`,
    apiKey: gateway.world.key,
    maxRetries: 2,
    timeout: options.timeout,
    fetch: (url, init) => {
      // The client tries its fetch on a data URI first.
      if (String(url).startsWith('http')) sent += 1
      options.onSent?.(sent)
      return fetch(url, init)
    },
  })
  return { client, attempts: () => sent }
}

let prompts = 0
const newBody = () =>
  ({ model: 'gpt-image-2', prompt: `a cat, number ${++prompts}`, size: '1024x1024', quality: 'low' }) as const

/** Of the one picture; an error as it is. */
const imageId = (answer: unknown): string =>
  (answer as { data?: { image_id: string }[] }).data?.[0]?.image_id ?? JSON.stringify(answer)

async function calls(work: () => Promise<unknown>): Promise<number> {
  const before = gateway.turnstile.arrived()
  await work()
  return gateway.turnstile.arrived() - before
}

/** Waits for a call to the provider beyond those that were there when it was made. */
function nextCall(): () => Promise<void> {
  const before = gateway.turnstile.arrived()
  return () => expect.poll(() => gateway.turnstile.arrived() - before).toBe(1)
}

describe('the client', () => {
  test.each(['generate', 'edit'] as const)(
    'that times out in %s ends with the picture, which was made once',
    async (operation) => {
      gateway.turnstile.hold()
      const { client, attempts } = newClient({
        timeout: 600,
        onSent: (attempt) => attempt === 2 && gateway.turnstile.release(),
      })
      const png = await sharp({ create: { width: 64, height: 64, channels: 3, background: '#c85028' } })
        .png()
        .toBuffer()
      const made = await calls(async () => {
        const { size, ...body } = newBody()
        const answer =
          operation === 'generate'
            ? await client.images.generate({ size, ...body })
            : await client.images.edit({ ...body, image: await toFile(png, 'a.png', { type: 'image/png' }) })
        expect(answer.data?.[0]?.url).toBeTruthy()
      })
      expect(attempts()).toBeGreaterThan(1)
      expect(made).toBe(1)
    },
  )

  test('that sends a key gets the one picture from all of its calls', async () => {
    gateway.turnstile.hold()
    const { client, attempts } = newClient()
    const body = newBody()
    const called = nextCall()
    const all = Promise.all(
      Array.from({ length: 4 }, () =>
        client.images.generate(body, { headers: { 'Idempotency-Key': 'a cat' } }),
      ),
    )
    await called()
    gateway.turnstile.release()
    const [first, ...others] = await all
    for (const one of others) expect(one).toEqual(first)
    expect(attempts()).toBe(4)
  })

  test('that asks twice for the same gets two pictures', async () => {
    const { client } = newClient()
    const body = newBody()
    const made = await calls(async () => {
      const [one, other] = await Promise.all([client.images.generate(body), client.images.generate(body)])
      expect(imageId(one)).not.toBe(imageId(other))
    })
    expect(made).toBe(2)
  })
})

interface Asking {
  count?: number | string
  signal?: AbortSignal
}

async function ask(
  body: object,
  { count = 0, signal }: Asking = {},
): Promise<{ id: string; isReplay: boolean }> {
  const headers = { 'x-stainless-retry-count': String(count) }
  const { url, key } = gateway.world
  const response = await fetch(`${url}/v1/images/generations`, {
    method: 'POST',
    headers: { ...headers, authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal,
  })
  const id = imageId(await response.json())
  return { id, isReplay: response.headers.get('idempotent-replayed') === 'true' }
}

/** Asks, and hangs up once the provider is at work. */
async function askAndLeave(body: object): Promise<void> {
  const leaving = new AbortController()
  const called = nextCall()
  const left = ask(body, { signal: leaving.signal }).catch(() => undefined)
  await called()
  leaving.abort()
  await left
}

describe('a retry', () => {
  test('of a request that goes on is joined to it, once for each count', async () => {
    gateway.turnstile.hold()
    const body = newBody()
    const called = nextCall()
    const first = ask(body)
    await called()
    const joins = () =>
      db.selectFrom('tasks').select('retry_count').where('id', '=', taskId).executeTakeFirst()
    const { db } = gateway
    const { id: taskId } = await db
      .selectFrom('tasks')
      .select('id')
      .where('status', '=', 'IN_PROGRESS')
      .executeTakeFirstOrThrow()
    const joined = ask(body, { count: 1 })
    await expect.poll(joins).toEqual({ retry_count: 1 })
    // Somebody else, whose own first attempt never came here.
    const calledAgain = nextCall()
    const other = ask(body, { count: 1 })
    await calledAgain()
    const joinedAgain = ask(body, { count: 2 })
    await expect.poll(joins).toEqual({ retry_count: 2 })
    gateway.turnstile.release()
    const { id } = await first
    const replayed = { id, isReplay: true }
    expect(await Promise.all([joined, joinedAgain])).toEqual([replayed, replayed])
    expect(await other).toMatchObject({ isReplay: false })
    expect((await other).id).not.toBe(id)
  })

  test('of a request whose client hung up gets its picture, before it is made and after', async () => {
    for (const isMade of [false, true]) {
      gateway.turnstile.hold()
      const body = newBody()
      await askAndLeave(body)
      const made = await calls(async () => {
        gateway.turnstile.release()
        if (isMade) await ended()
        expect((await ask(body, { count: 1 })).isReplay).toBe(true)
      })
      expect(made).toBe(0)
    }
  })

  test('of an answer that left and was not read gets its picture', async () => {
    const body = { ...newBody(), response_format: 'b64_json' }
    const { url, key } = gateway.world
    const text = JSON.stringify(body)
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.pause()
    socket.write(
      `POST /v1/images/generations HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\nX-Stainless-Retry-Count: 0\r\n\r\n${text}`,
    )
    const isAnswered = async () =>
      (await gateway.db
        .selectFrom('tasks')
        .select('id')
        .where(sql<string>`request ->> 'prompt'`, '=', body.prompt)
        .where('answered_at', 'is not', null)
        .executeTakeFirst()) !== undefined
    await expect.poll(isAnswered).toBe(true)
    socket.destroy()
    await expect.poll(isAnswered).toBe(false)
    const made = await calls(async () => expect((await ask(body, { count: 1 })).isReplay).toBe(true))
    expect(made).toBe(0)
  })

  test('of an answer that arrived is new work, and so is one after a failure', async () => {
    const body = newBody()
    const { id } = await ask(body)
    const second = await ask(body, { count: 1 })
    expect([second.isReplay, second.id === id]).toEqual([false, false])

    const unlucky = newBody()
    await gateway.upstream.play('500', 1)
    await ask(unlucky)
    expect((await ask(unlucky, { count: 1 })).isReplay).toBe(false)
  })

  test('is told by body, key and a count that is a number', async () => {
    gateway.turnstile.hold()
    const body = newBody()
    await askAndLeave(body)
    gateway.turnstile.release()
    await ended()
    for (const [other, count] of [
      [{ ...body, n: 2 }, 1],
      [body, 0],
      [body, 'x'],
      [body, 101],
    ] as const) {
      expect((await ask(other, { count })).isReplay).toBe(false)
    }
    expect((await ask(body, { count: 1 })).isReplay).toBe(true)
  })
})

/** Waits until nothing is at work. */
async function ended(): Promise<void> {
  const { db } = gateway
  await expect
    .poll(() => db.selectFrom('tasks').select('id').where('status', '=', 'IN_PROGRESS').execute())
    .toEqual([])
}
