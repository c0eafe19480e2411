import type { ServerResponse } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { fakeArkKey, startFakeArk } from '../../../test/upstreams/ark.ts'
import type { PartialPicture } from '../provider.ts'
import { closeOpened, connect, fixture, requestFor, type Script, watch } from './testing/scripted-ark.ts'

afterEach(closeOpened)

const series = { series: { maxImages: 4 } }
const usage = { generated_images: 2, output_tokens: 32_448, total_tokens: 32_448 }

/** The bytes of picture k. */
const bytesOf = (index: number) => Buffer.alloc(2_000, index + 1)

function frame(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`
}

const picture = (index: number) =>
  frame('image_generation.partial_succeeded', {
    image_index: index,
    b64_json: bytesOf(index).toString('base64'),
    size: '2048x2048',
  })
const refused = (index: number) =>
  frame('image_generation.partial_failed', {
    image_index: index,
    error: { code: 'OutputImageSensitiveContentDetected', message: 'The picture may be sensitive.' },
  })
const completed = frame('image_generation.completed', { usage })
const done = 'data: [DONE]\n\n'

function begin(response: ServerResponse): ServerResponse {
  return response.writeHead(200, { 'content-type': 'text/event-stream' })
}

/** The whole stream at once. */
const all =
  (...frames: string[]): Script =>
  (response) => {
    begin(response).end(frames.join(''))
  }

/** So much of the stream, and then the connection is cut. */
const cutAfter =
  (...frames: string[]): Script =>
  (response) => {
    begin(response).write(frames.join(''), () => setTimeout(() => response.destroy(), 5))
  }

const shown = (index: number): PartialPicture => ({ position: index, index: 0, bytes: bytesOf(index) })
const made = (index: number) => ({
  position: index,
  source: { kind: 'bytes', bytes: bytesOf(index) },
})
const moderated = { error: { code: 'moderation_blocked', dispatched: 'yes', retryable: false } }
const lost = { code: 'upstream_invalid_response', dispatched: 'yes', retryable: false }

describe('a watched series', () => {
  it('is shown picture by picture while the rest is still drawn, and delivered whole', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const { partials, outcome } = await watch(async (response) => {
      begin(response).write(picture(0))
      await released
      response.end(picture(1) + completed + done)
    }, series)
    await expect.poll(() => partials).toEqual([shown(0)])
    release()
    expect(await outcome).toEqual({
      status: 'completed',
      images: [made(0), made(1)],
      usage: { outputTokens: 32_448, totalTokens: 32_448 },
      effective: { size: '2048x2048' },
      upstreamRequestId: undefined,
    })
    expect(partials).toEqual([shown(0), shown(1)])
  })

  it('keeps the order of the series, however its pictures come', async () => {
    const { outcome } = await watch(all(picture(2), picture(0), refused(1), completed), series)
    expect(await outcome).toMatchObject({ images: [made(0), made(2)], failures: [moderated] })
  })

  it('asks for the bytes, and for a stream', async () => {
    await using upstream = await startFakeArk({ otherSize: { width: 64, height: 64 } })
    const provider = connect(upstream.url, { apiKey: fakeArkKey })
    const partials: PartialPicture[] = []
    const watching = { partialImages: 3, onPartial: (one: PartialPicture) => partials.push(one) }
    const request = requestFor({ series: { maxImages: 3 } })
    const outcome = await provider.stream?.(request, watching, AbortSignal.timeout(5_000))
    expect(outcome).toMatchObject({ images: [{}, {}, {}], usage: { outputTokens: expect.any(Number) } })
    expect(partials.map(({ position }) => position)).toEqual([0, 1, 2])
    expect(upstream.requests).toHaveLength(1)
    expect(upstream.requests[0]).toMatchObject({
      headers: { accept: 'text/event-stream, application/json' },
      body: { stream: true, response_format: 'b64_json' },
    })
  })

  it('is over when Ark says so, even where the connection stays', async () => {
    const script: Script = (response) => {
      begin(response).write(picture(0) + completed)
    }
    const { outcome } = await watch(script, series)
    const tooLate = new Promise((resolve) => setTimeout(resolve, 1_000, 'it still waits').unref())
    const told = await Promise.race([outcome, tooLate])
    expect(told).toMatchObject({ images: [made(0)], usage: { totalTokens: 32_448 } })
    expect(told).not.toHaveProperty('failures')
  })

  it('as documented, with addresses instead of bytes, is delivered and cannot be shown', async () => {
    const { partials, outcome } = await watch(all(fixture('series-stream.txt')), series)
    expect(await outcome).toMatchObject({
      images: [{ source: { kind: 'url' } }, { source: { kind: 'url' } }],
      failures: [moderated],
      effective: { size: '2496x1664' },
    })
    expect(partials).toEqual([])
  })

  it('is cut at the length that was asked for', async () => {
    const frames = [0, 1, 2].map(picture)
    const { outcome } = await watch(all(...frames, completed), { series: { maxImages: 2 } })
    expect(await outcome).toMatchObject({ images: [made(0), made(1)] })
  })

  it('that has nothing but refusals is refused', async () => {
    const { outcome } = await watch(all(refused(0), refused(1), completed), series)
    expect(await outcome).toMatchObject({
      ...moderated.error,
      message: 'ByteDance Ark refused: The picture may be sensitive.',
    })
  })

  it('that is completed without a picture is no success', async () => {
    const { outcome } = await watch(all(completed, done), series)
    expect(await outcome).toMatchObject(lost)
  })
})

describe('one watched picture', () => {
  it('is delivered without being shown first: it is finished when it comes', async () => {
    const { partials, outcome } = await watch(all(picture(0), completed))
    const told = await outcome
    expect(told).toMatchObject({ images: [made(0)] })
    expect(told).not.toHaveProperty('failures')
    expect(partials).toEqual([])
  })

  it('lacks nothing, even if the end of the stream does', async () => {
    for (const script of [all(picture(0)), cutAfter(picture(0))]) {
      const { outcome } = await watch(script)
      const told = await outcome
      expect(told).toMatchObject({ status: 'completed', images: [made(0)] })
      expect(told).not.toHaveProperty('failures')
    }
  })

  it('of Seedream 5.0 Pro, which does not stream, is asked for as ever', async () => {
    await using upstream = await startFakeArk({ otherSize: { width: 64, height: 64 } })
    const provider = connect(upstream.url, { apiKey: fakeArkKey })
    const watching = { partialImages: 1, onPartial: () => undefined }
    const request = requestFor({ model: 'seedream-5-0-pro-260628' })
    const outcome = await provider.stream?.(request, watching, AbortSignal.timeout(5_000))
    expect(outcome).toMatchObject({ images: [{}] })
    expect(upstream.requests[0]?.body).not.toHaveProperty('stream')
  })
})

describe('a stream that ends too early', () => {
  it.each([
    ['by itself', all],
    ['because the connection breaks', cutAfter],
  ])('%s delivers what had come, and tells that the rest is missing', async (_, script) => {
    const { outcome } = await watch(script(picture(0), refused(1), picture(2)), series)
    expect(await outcome).toMatchObject({
      images: [made(0), made(2)],
      failures: [moderated, { error: { ...lost, message: expect.stringContaining('in the middle') } }],
    })
  })

  it('after a refusal alone is refused, without the words of the request', async () => {
    const message = `refused for a heron at dawn and Bearer 6f1c2d3e-1111-4b5a-9c8d-0123456789ab`
    const failed = frame('image_generation.partial_failed', {
      image_index: 0,
      error: { code: 'OutputImageRiskDetection', message },
    })
    const { outcome } = await watch(cutAfter(failed), series)
    const told = await outcome
    expect(told).toMatchObject(moderated.error)
    expect(`${JSON.stringify(told)} ${told instanceof Error && told.message}`).not.toMatch(/heron|6f1c2d3e/)
  })

  it.each([
    ['by itself', all],
    ['because the connection breaks', cutAfter],
  ])('%s before anything came is lost', async (_, script) => {
    const { outcome } = await watch(script(': hello\n\n'), series)
    expect(await outcome).toMatchObject(lost)
  })

  it('delivers what had come when the caller gives up', async () => {
    const caller = new AbortController()
    const script: Script = (response) => {
      begin(response).write(picture(0))
    }
    const { partials, outcome } = await watch(script, series, { signal: caller.signal })
    await expect.poll(() => partials).toHaveLength(1)
    caller.abort()
    expect(await outcome).toMatchObject({
      images: [made(0)],
      failures: [{ error: { dispatched: 'yes', retryable: false } }],
    })
  })

  it('because it is too large delivers what had come', async () => {
    const script: Script = (response) => {
      begin(response).write(picture(0), () => setTimeout(() => response.end('x'.repeat(20_000)), 5))
    }
    const { outcome } = await watch(script, series, { maxResponseBytes: 10_000 })
    expect(await outcome).toMatchObject({ images: [made(0)], failures: [{ error: lost }] })
  })
})

describe('an error in the middle', () => {
  const errorEvent = (code: string, name = 'error') =>
    `event: ${name}\ndata: ${JSON.stringify({ error: { code, message: 'It failed.' } })}\n\n`

  it.each([
    ['InternalServiceError', 'upstream_failed'],
    ['ModelAccountIpmRateLimitExceeded', 'upstream_failed'],
    ['InputImageSensitiveContentDetected', 'moderation_blocked'],
  ])('%s fails a stream without pictures for good', async (code, told) => {
    for (const name of ['error', 'message']) {
      const { outcome } = await watch(all(errorEvent(code, name)), series)
      expect(await outcome).toMatchObject({ code: told, dispatched: 'yes', retryable: false })
    }
  })

  it('does not cost the pictures before it', async () => {
    const { outcome } = await watch(all(picture(0), errorEvent('InternalServiceError')), series)
    expect(await outcome).toMatchObject({
      images: [made(0)],
      failures: [{ error: { code: 'upstream_failed', dispatched: 'yes', retryable: false } }],
    })
  })
})

describe('an answer that is no stream', () => {
  it('is read as ever', async () => {
    const reply = { data: [{ b64_json: bytesOf(0).toString('base64') }], usage }
    const { partials, outcome } = await watch((response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(reply))
    }, series)
    expect(await outcome).toMatchObject({ images: [made(0)], usage: { totalTokens: 32_448 } })
    expect(partials).toEqual([])
  })

  it('and refuses the request is a refusal before anything was done', async () => {
    const error = { code: 'InvalidParameter', message: 'stream is not supported.', param: 'stream' }
    const { outcome } = await watch((response) => {
      response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))
    }, series)
    expect(await outcome).toMatchObject({ code: 'invalid_image_request', dispatched: 'no' })
  })
})
