import { afterEach, describe, expect, it } from 'vitest'
import type { ProviderCompleted } from '../provider.ts'
import {
  closeOpened,
  connect,
  errorOf,
  openScript,
  type ScriptedAnswer,
  signal,
} from './testing/scripted-fal.ts'

afterEach(closeOpened)

const completed = { reply: 'completed.json' }
const prompt = 'a heron at dawn'

/** Asks once for work of `n` pictures. */
async function ask(answers: readonly ScriptedAnswer[], n = 1) {
  const { url } = await openScript(answers)
  return connect(url).check?.({ id: 'r1', endpoint: 'fal-ai/flux/dev', n }, signal(), [prompt])
}

async function result(reply: unknown, n = 1) {
  return (await ask([completed, { reply }], n)) as ProviderCompleted
}

const url = 'https://v3.fal.media/files/a.png'
const pixel = Buffer.from('89504e470d0a1a0a', 'hex')

describe('a result', () => {
  it('is the picture at its address, its seed, and the id for support', async () => {
    expect(await result('result.json')).toEqual({
      status: 'completed',
      images: [
        {
          source: {
            kind: 'url',
            url: 'https://v3.fal.media/files/rabbit/aQEmU4lEKKIIr9cDOChUB.png',
            trusted: true,
          },
          seed: 920212137,
        },
      ],
      seconds: 1.2249955059960485,
      upstreamRequestId: 'r1',
    })
  })

  it('names no seed for several pictures, because fal does not say how it counts', async () => {
    const { images } = await result({ images: [{ url }, { url }], seed: 7 }, 2)
    expect(images.map(({ seed }) => seed)).toEqual([undefined, undefined])
  })

  it('names no seed that JSON cannot hold', async () => {
    const reply = { images: [{ url }], seed: 196619188014358660 }
    expect((await result(reply)).images[0]).not.toHaveProperty('seed')
  })

  it.each([[-1], [1e308], ['NaN'], [null], [86_401]])('took no %j seconds', async (inference) => {
    const told = await result({ images: [{ url }], timings: { inference } })
    expect(told.images).toHaveLength(1)
    expect(told).not.toHaveProperty('seconds')
  })

  it.each([
    ['one picture alone', { image: { url } }],
    [
      'odd things beside it',
      { images: [{ url, width: 'x' }], seed: 'x', has_nsfw_concepts: 'no', timings: null },
    ],
  ])('is taken with %s', async (_, reply) => {
    expect((await result(reply)).images[0]?.source).toMatchObject({ kind: 'url', url })
  })

  it.each([
    ['short', pixel],
    ['long', Buffer.concat([pixel, Buffer.alloc(3_000, 7)])],
  ])('is bytes where the address is a %s data URI', async (_, bytes) => {
    const data = `data:image/png;base64,${bytes.toString('base64')}`
    expect((await result({ images: [{ url: data }] })).images[0]?.source).toEqual({ kind: 'bytes', bytes })
  })

  it('is never a picture that was not asked for', async () => {
    expect((await result({ images: [{ url }, { url }] }, 1)).images).toHaveLength(1)
  })

  it.each([[{}], [{ images: [] }], [{ images: null }], [{ images: [{ url: 'ftp://x' }] }], [[]], ['x']])(
    'without a picture, %j, is a failure that does not repeat it',
    async (reply) => {
      const error = await errorOf(ask([completed, { reply }]))
      expect(error).toMatchObject({ code: 'upstream_invalid_response', dispatched: 'yes', retryable: false })
    },
  )

  it('that is no JSON is asked for again', async () => {
    const page = Buffer.from(`<html>a page about ${prompt}</html>`)
    for (const reply of [page, Buffer.from('{"images":[{"url":"https://v3.fal'), Buffer.alloc(0)]) {
      const error = await errorOf(ask([completed, { reply }]))
      expect(error).toMatchObject({ code: 'upstream_unavailable', dispatched: 'yes', retryable: true })
      expect(JSON.stringify(error) + error.message).not.toContain('heron')
    }
  })

  it('owes what it left out', async () => {
    const { images, failures } = await result({ images: [{ url }, {}] }, 3)
    expect(images).toHaveLength(1)
    expect(failures?.map(({ error }) => error.code)).toEqual(Array(2).fill('upstream_invalid_response'))
  })
})

describe('a picture that fal painted black', () => {
  it('is a failure of its own beside the others', async () => {
    const reply = { images: [{ url }, { url }, { url }], has_nsfw_concepts: [false, true, false] }
    const { images, failures } = await result(reply, 3)
    expect(images).toHaveLength(2)
    expect(failures).toHaveLength(1)
    expect(failures?.[0]?.error).toMatchObject({ code: 'moderation_blocked', attribution: 'client' })
  })

  it.each(['has_nsfw_concepts', 'nsfw_content_detected'])(
    'is the error where there is no other: %s',
    async (name) => {
      const error = await errorOf(ask([completed, { reply: { images: [{ url }], [name]: [true] } }]))
      expect(error).toMatchObject({ code: 'moderation_blocked', dispatched: 'yes', retryable: false })
      expect(error.message).toContain('safety checker')
    },
  )
})

describe('work that failed', () => {
  it('was moderated where fal says so, by type or in a sentence', async () => {
    const sentence = { detail: 'NSFW content detected in the prompt.' }
    for (const reply of ['content-policy.json', sentence] as const) {
      const error = await errorOf(ask([completed, { status: 422, reply }]))
      expect(error).toMatchObject({ code: 'moderation_blocked', attribution: 'client', dispatched: 'yes' })
    }
  })

  it('names the field at fault in the word of the caller, and never repeats the input', async () => {
    const error = await errorOf(ask([completed, { status: 422, reply: 'validation.json' }]))
    expect(error).toMatchObject({ code: 'invalid_image_request', param: 'guidance', dispatched: 'yes' })
    expect(error.message).toContain('less than or equal to 20')
    const echo = { detail: [{ loc: ['body', 'prompt'], type: 'x', input: prompt }] }
    const silent = await errorOf(ask([completed, { status: 422, reply: echo }]))
    expect(`${silent.message} ${silent.detail}`).not.toContain('heron')
  })

  it.each<[string, ScriptedAnswer]>([
    ['a type in the body', { status: 503, reply: { detail: 'gone', error_type: 'runner_disconnected' } }],
    [
      'a type in the header',
      { status: 503, headers: { 'x-fal-error-type': 'runner_disconnected' }, reply: 'x' },
    ],
    ['a list of details', { status: 504, reply: { detail: [{ msg: 'slow', type: 'generation_timeout' }] } }],
    [
      'a service behind it',
      { status: 400, reply: { detail: [{ msg: 'x', type: 'downstream_service_error' }] } },
    ],
  ])('is over for good where the answer has %s', async (_, answer) => {
    const error = await errorOf(ask([completed, answer]))
    expect(error).toMatchObject({ code: 'upstream_failed', dispatched: 'yes', retryable: false })
  })

  it('is over for good where its status had an error, whatever stands in its place', async () => {
    const failed = { reply: { status: 'COMPLETED', error: 'Internal server error' } }
    const error = await errorOf(ask([failed, { status: 503, reply: 'x' }]))
    expect(error).toMatchObject({ code: 'upstream_failed', retryable: false })
  })

  it('may not have failed at all where only the asking did', async () => {
    for (const status of [408, 429, 500, 502, 503]) {
      for (const answers of [
        [{ status, reply: { detail: 'x' } }],
        [completed, { status, reply: { detail: 'x' } }],
      ]) {
        const error = await errorOf(ask(answers))
        expect(error, String(status)).toMatchObject({ retryable: true, dispatched: 'yes' })
      }
    }
  })

  it('waits for its result where the key, the account or the pace is at fault, whatever type that has', async () => {
    const refusals: [number, object][] = [
      [401, { detail: 'Unauthorized', error_type: 'unauthorized' }],
      [402, { detail: 'Insufficient balance', error_type: 'payment_required' }],
      [403, { detail: 'User is locked. Reason: Exhausted balance.' }],
      [429, { detail: 'Too many requests', error_type: 'rate_limited' }],
      [400, { detail: 'Request is still in progress' }],
    ]
    for (const [status, reply] of refusals) {
      const error = await errorOf(ask([completed, { status, reply }]))
      expect(error, String(status)).toMatchObject({ retryable: true, dispatched: 'yes' })
    }
    const failed = { reply: { status: 'COMPLETED', error: 'Partner said no' } }
    const error = await errorOf(ask([failed, { status: 429, reply: { detail: 'x' } }]))
    expect(error).toMatchObject({ code: 'upstream_failed', retryable: false, dispatched: 'yes' })
  })

  it('is not waited for where fal does not know it', async () => {
    const error = await errorOf(ask([{ status: 404, reply: { detail: 'Request not found' } }]))
    const verdict = { code: 'upstream_failed', attribution: 'upstream', retryable: false, dispatched: 'yes' }
    expect(error).toMatchObject(verdict)
    expect(error.message).not.toContain('model')
  })
})

describe('a submission that was not taken', () => {
  it('is for the operator where the account is locked', async () => {
    const { url } = await openScript([{ status: 403, reply: 'locked.json' }])
    const request = { taskId: 'image_1', model: 'fal-ai/flux/schnell', prompt, n: 1 }
    const error = await errorOf(connect(url).start(request, signal()))
    expect(error).toMatchObject({ code: 'upstream_failed', attribution: 'platform', dispatched: 'no' })
    expect(error.message).toContain('no credit or quota left')
    expect(error.message).not.toContain('billing')
  })
})

describe('asking to stop', () => {
  const note = { id: 'r1', endpoint: 'fal-ai/flux/dev', n: 1 }

  it.each([
    [202, { status: 'CANCELLATION_REQUESTED' }],
    [400, { status: 'ALREADY_COMPLETED' }],
    [404, { status: 'NOT_FOUND' }],
  ])('is fine with %i', async (status, reply) => {
    const { url, seen } = await openScript([{ status, reply }])
    await connect(url).cancel?.(note, signal())
    expect(seen.map(({ method, path, body }) => [method, path, body])).toEqual([
      ['PUT', '/fal-ai/flux/requests/r1/cancel', undefined],
    ])
  })

  it('is an error where nobody can tell', async () => {
    const { url } = await openScript([{ status: 503, reply: {} }])
    expect(await errorOf(connect(url).cancel?.(note, signal()) ?? Promise.resolve())).toMatchObject({
      retryable: true,
    })
  })
})
