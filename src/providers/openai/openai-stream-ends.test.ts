/** Streams that do not end, break off or are called something else: what has arrived of a picture is never lost to that. */
import { randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { serveHttp } from '../../net/testing/loopback.ts'
import type { PartialPicture, ProviderCompleted, ProviderOutcome, ProviderRequest } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { closeOpened, connect, key, requestFor } from './testing/scripted-server.ts'

const opened: { close(): unknown }[] = []
afterEach(async () => {
  for (const resource of opened.splice(0).reverse()) await resource.close()
  await closeOpened()
})

type Say = (response: ServerResponse) => void

/** Watches one call to a server that answers like this. */
async function watch(say: Say, overrides: Partial<ProviderRequest> = {}, timeoutMs = 2_000) {
  const server = await serveHttp((request, response) => {
    request.resume()
    say(response)
  })
  opened.push(server)
  const partials: PartialPicture[] = []
  const watching = { partialImages: 2, onPartial: (partial: PartialPicture) => void partials.push(partial) }
  const provider = connect(`${server.origin}/v1`, key, timeoutMs)
  const startedAtMs = performance.now()
  const outcome: ProviderOutcome | ProviderError | undefined = await provider
    .stream?.(requestFor(overrides), watching, AbortSignal.timeout(5_000))
    .catch((error: unknown) => {
      if (error instanceof ProviderError) return error
      throw error
    })
  return { outcome, partials, tookMs: performance.now() - startedAtMs, server }
}

const picture = randomBytes(30_000)
const event = (json: object, name?: string) =>
  `${name ? `event: ${name}\n` : ''}data: ${JSON.stringify(json)}\n\n`
const image = (type: string, more: object = {}) =>
  event({ type: `image_generation.${type}`, b64_json: picture.toString('base64'), ...more })
const events = (...all: string[]) => Buffer.from(all.join(''))

const head = { 'content-type': 'text/event-stream' }
const cutAfter =
  (body: Buffer): Say =>
  (response) =>
    void response.writeHead(200, head).write(body, () => setTimeout(() => response.destroy(), 10))
const openAfter =
  (body: Buffer): Say =>
  (response) =>
    void response.writeHead(200, head).write(body)
const whole =
  (body: Buffer | string, headers: Record<string, string> = head, status = 200): Say =>
  (response) =>
    void response.writeHead(status, headers).end(body)

const drawn = { status: 'completed', images: [{ source: { kind: 'bytes', bytes: picture } }] }

describe('a picture that has arrived', () => {
  it('is delivered where the connection breaks behind it', async () => {
    const body = events(image('partial_image'), image('completed', { usage: { total_tokens: 7 } }))
    const { outcome } = await watch(cutAfter(body))
    expect(outcome).toMatchObject({ ...drawn, usage: { totalTokens: 7 } })
    expect(outcome).not.toHaveProperty('failures')
  })

  it.each([
    ['a stream', events(image('completed'))],
    ['a stream that says it is done', events(image('completed'), 'data: [DONE]\n\n')],
  ])('is delivered at once where %s is never closed', async (_, body) => {
    const { outcome, tookMs, server } = await watch(openAfter(body))
    expect(outcome).toMatchObject(drawn)
    expect(tookMs).toBeLessThan(1_000)
    // And nobody stays on the line.
    await expect
      .poll(() => server.connections.every((socket) => socket.destroyed), { timeout: 3_000 })
      .toBe(true)
  })

  it('is delivered where the stream ends without a last line break', async () => {
    const body = image('completed').trimEnd()
    expect((await watch(whole(body))).outcome).toMatchObject(drawn)
    expect((await watch(whole(`${body}\n`))).outcome).toMatchObject(drawn)
    const cut = await watch(whole(body.slice(0, -40)))
    expect(cut.outcome).toMatchObject({
      code: 'upstream_invalid_response',
      dispatched: 'yes',
      retryable: false,
    })
  })

  it('is delivered whatever stands empty beside it, or in an event of the same name', async () => {
    for (const error of ['', {}, null]) {
      expect((await watch(whole(events(image('completed', { error }))))).outcome).toMatchObject(drawn)
    }
    const empty = image('completed', { b64_json: '', url: '', usage: { total_tokens: 7 } })
    expect((await watch(whole(events(empty, image('completed'))))).outcome).toMatchObject(drawn)
  })

  it('is delivered though its stages make the answer long', async () => {
    // The most that this adapter takes is 1,000,000 bytes.
    const b64_json = randomBytes(400_000).toString('base64')
    const stages = [0, 1].map((index) => image('partial_image', { b64_json, partial_image_index: index }))
    const { outcome, partials } = await watch(whole(events(...stages, image('completed'))))
    expect(outcome).toMatchObject(drawn)
    expect(partials).toHaveLength(2)
    const endless = await watch(whole(`data: ${'x'.repeat(1_000_001)}`))
    expect(endless.outcome).toMatchObject({ code: 'upstream_invalid_response', dispatched: 'yes' })
  })

  it('counts in a series that breaks off, and what did not come is told', async () => {
    const series = { model: 'seedream', dialect: 'openai-compatible', series: { maxImages: 3 } }
    const { outcome } = await watch(cutAfter(events(image('completed'), image('completed'))), series)
    expect(outcome).toMatchObject({
      images: [{}, {}],
      failures: [{ error: { code: 'upstream_invalid_response', dispatched: 'yes', retryable: false } }],
    })
    expect((outcome as ProviderCompleted).images).toHaveLength(2)
  })
})

it('an error is told as what it is, though the connection breaks behind it', async () => {
  const error = { type: 'error', error: { code: 'moderation_blocked', message: 'no' } }
  const { outcome } = await watch(cutAfter(events(image('partial_image'), event(error, 'error'))))
  expect(outcome).toMatchObject({ code: 'moderation_blocked', dispatched: 'yes', retryable: false })
})

it('a stream that breaks off or goes on for too long without a picture is lost', async () => {
  const body = events(image('partial_image'))
  const broken = { code: 'upstream_invalid_response', dispatched: 'yes', retryable: false }
  expect((await watch(cutAfter(body))).outcome).toMatchObject(broken)
  const late = { code: 'outcome_unknown', dispatched: 'yes', retryable: false }
  expect((await watch(openAfter(body), {}, 150)).outcome).toMatchObject(late)
})

describe('an answer', () => {
  it.each(['application/json', 'text/plain', 'application/octet-stream'])(
    'of events is read as what it is, though it is called %s',
    async (type) => {
      const body = events(image('partial_image'), image('completed'))
      const { outcome, partials } = await watch(whole(body, { 'content-type': type }))
      expect(outcome).toMatchObject(drawn)
      expect(partials).toHaveLength(1)
    },
  )

  it('in one piece is read as what it is, though it is called a stream', async () => {
    const body = JSON.stringify({ created: 1, data: [{ b64_json: picture.toString('base64') }] })
    expect((await watch(whole(body))).outcome).toMatchObject(drawn)
    expect((await watch(whole(`\n ${body}`))).outcome).toMatchObject(drawn)
  })

  it('that refuses in the form of an event is a refusal by its words', async () => {
    const error = { code: 'moderation_blocked', message: 'no', type: 'image_generation_user_error' }
    const { outcome } = await watch(whole(event({ type: 'error', error }, 'error'), head, 400))
    expect(outcome).toMatchObject({ code: 'moderation_blocked', dispatched: 'yes' })
  })
})

it('a stream may be cut anywhere, and have everything that the format allows', async () => {
  const small = Buffer.from('89504e470d0a1a0a', 'hex')
  const json = {
    type: 'image_generation.completed',
    b64_json: small.toString('base64'),
    revised_prompt: 'ein Fähnchen 🦊',
  }
  const [before, after] = JSON.stringify(json).split(',"revised')
  const text = `\uFEFF: hello\r\nretry: 10\r\nid: 7\r\nevent: image_generation.completed\r\ndata: ${before},\r\ndata:"revised${after}\r\n\r\n`
  const { outcome } = await watch(async (response) => {
    response.writeHead(200, head)
    for (const byte of Buffer.from(text)) {
      response.write(Buffer.of(byte))
      await new Promise((resolve) => setImmediate(resolve))
    }
    response.end()
  })
  expect(outcome).toMatchObject({
    images: [{ source: { bytes: small }, revisedPrompt: 'ein Fähnchen 🦊' }],
  })
})
