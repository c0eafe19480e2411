import { inspect } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { fakeReplicateKey } from '../../../test/upstreams/replicate.ts'
import { serveHttp } from '../../net/testing/loopback.ts'
import type { ProviderRequest } from '../provider.ts'
import { asFailure, fixture, type OpenReplicate, openReplicate } from './testing/open-replicate.ts'

let world: OpenReplicate
beforeAll(async () => {
  world = await openReplicate({ echo: true })
})
beforeEach(async () => {
  await world.upstream.play('ok')
  world.upstream.requests.length = 0
})
afterAll(() => world[Symbol.asyncDispose]())

const schnell = await fixture('flux-schnell')
const url = 'https://replicate.delivery/xezq/Q9jOVfT4nmT6YaUGe7fwMe85kYPNziFq18j850Sg6YvPlk0WB/out-0.webp'

/** What becomes of exactly this prediction. */
async function read(changes: object = {}, overrides: Partial<ProviderRequest> = {}) {
  const body = { ...schnell, ...changes }
  return world.answered({ body }, { model: 'black-forest-labs/flux-schnell', ...overrides })
}

describe('a prediction that succeeded', () => {
  it('has the pictures of a list, with the seed that the model says it used', async () => {
    expect(await read()).toEqual({
      status: 'completed',
      images: [{ source: { kind: 'url', url, trusted: true }, seed: 41 }],
      seconds: 0.616,
      upstreamRequestId: '5pcmjq6sfnrmc0cram79p95eg4',
    })
  })

  it('has the one picture of a model that makes one', async () => {
    const body = await fixture('flux-1.1-pro')
    expect(await world.answered({ body })).toMatchObject({
      images: [{ source: { kind: 'url', url: expect.stringContaining('/tmpc91tlq20.webp') }, seed: 64_210 }],
    })
  })

  it.each([
    [{ logs: '' }, 41],
    [{ logs: '', input: {} }, undefined],
    [{ logs: 'Using seed: 7\r\n', input: { seed: 41 } }, 7],
    [{ logs: 'prompt: Using seed: 7', input: { seed: 0 } }, 0],
    [{ logs: null, input: { seed: 'abc' } }, undefined],
  ])('has of %j the seed %s', async (changes, seed) => {
    const outcome = await read(changes)
    expect('images' in outcome && outcome.images.map((image) => image.seed)).toEqual([seed])
  })

  it.each([
    [{ predict_time: 0 }, 0],
    [{ predict_time: 3_600.5, total_time: -1 }, 3_600.5],
    [{ predict_time: -1 }, undefined],
    [{ predict_time: 1e308 }, undefined],
    [{ predict_time: 'NaN' }, undefined],
    [{ predict_time: null }, undefined],
    [{}, undefined],
    [7, undefined],
    [null, undefined],
  ])('with %j took %s seconds', async (metrics, seconds) => {
    const outcome = await read({ metrics })
    expect(outcome).toMatchObject({ images: [{ source: { url } }] })
    expect('seconds' in outcome ? outcome.seconds : undefined).toBe(seconds)
  })

  it('has no seed for any of several pictures, which share one', async () => {
    const outcome = await read({ output: [url, `${url}?2`] }, { n: 2 })
    expect(outcome).toMatchObject({ status: 'completed', images: [{}, {}] })
    expect(JSON.stringify(outcome)).not.toContain('seed')
  })

  it('has no more pictures than were asked for', async () => {
    const outcome = await read({ output: [url, url, url] }, { n: 2 })
    expect(outcome).toMatchObject({ images: [{}, {}] })
    expect(outcome).not.toHaveProperty('failures')
  })

  it('has a failure for each picture that was withheld, and for each that is missing', async () => {
    const logs = 'Prompt: NSFW content detected in image 9\nNSFW content detected in image 1\n'
    expect(await read({ logs, output: [url] }, { n: 3 })).toMatchObject({
      images: [{}],
      failures: [
        { error: { code: 'moderation_blocked', dispatched: 'yes', retryable: false } },
        { error: { code: 'upstream_invalid_response', dispatched: 'yes', retryable: false } },
      ],
    })
  })

  it.each([[null], [[]], [''], [[null]], [{ image: url }], [['ftp://a/b.png']], [7]])(
    'and has %j for pictures is lost',
    async (output) => {
      expect(await read({ output })).toMatchObject({
        code: 'upstream_invalid_response',
        attribution: 'upstream',
        dispatched: 'yes',
        retryable: false,
      })
    },
  )

  it.each([[[url, null]], [[7, url]], [[[], { image: url }, url]]])(
    'has its picture whatever stands beside it: %j',
    async (output) => {
      expect(await read({ output })).toMatchObject({ images: [{ source: { kind: 'url', url } }] })
    },
  )

  it('an hour ago says that the pictures are gone', async () => {
    const gone = await read({ output: null, input: {}, logs: null, data_removed: true })
    expect(gone).toMatchObject({ code: 'upstream_invalid_response', message: /removed the pictures/ })
  })

  it('may hold a picture itself', async () => {
    const bytes = Buffer.alloc(3_000, 'picture')
    const output = `data:image/webp;base64,${bytes.toString('base64')}`
    expect(await read({ output })).toMatchObject({ images: [{ source: { kind: 'bytes', bytes } }] })
  })
})

describe('a prediction that is under way', () => {
  it.each(['starting', 'processing', 'queued', 'sauteing', '', null])(
    'and %s is not over',
    async (status) => {
      expect(await read({ status, output: null })).toMatchObject({
        status: 'pending',
        operation: { id: '5pcmjq6sfnrmc0cram79p95eg4', n: 1 },
      })
    },
  )

  it('says how far it is', async () => {
    expect(await read({ status: 'processing' })).toMatchObject({ progress: 1 })
    const logs = ' 0%|  | 0/4 [00:00<?, ?it/s]\n 50%|█████     | 2/4 [00:00<00:00]\n'
    expect(await read({ status: 'processing', logs })).toMatchObject({ progress: 0.5 })
    expect(await read({ status: 'processing', logs: '90% done' })).not.toHaveProperty('progress')
  })

  it('is read at once, however many empty lines it logs', async () => {
    const logs = `Loaded the weights, and now it begins.${'\n'.repeat(20_000)}`
    const startedAtMs = performance.now()
    expect(await read({ status: 'processing', logs })).toMatchObject({ status: 'pending' })
    expect(await read({ logs })).toMatchObject({ status: 'completed' })
    expect(performance.now() - startedAtMs).toBeLessThan(400)
  })

  it.each([
    [0, 500],
    [60_000, 1_500],
    [600_000, 5_000],
  ])('for %i ms is asked for again in %i ms', async (ageMs, checkAfterMs) => {
    const created_at = new Date(Date.now() - ageMs).toISOString()
    expect(await read({ status: 'processing', created_at })).toMatchObject({ checkAfterMs })
    expect(await read({ status: 'processing', created_at: 'soon' })).toMatchObject({ checkAfterMs: 500 })
  })

  it('is asked for at the own base URL, wherever the answer points', async () => {
    const begun = await world.start()
    if (!('operation' in begun)) throw begun
    const elsewhere = {
      urls: { get: 'https://elsewhere.test/steal', cancel: 'https://elsewhere.test/steal' },
    }
    expect(await read({ status: 'starting', ...elsewhere })).not.toHaveProperty('operation.urls')
    world.upstream.requests.length = 0
    await world.provider.check?.(begun.operation, AbortSignal.timeout(1_000))
    expect(world.upstream.requests).toMatchObject([
      {
        method: 'GET',
        path: `/v1/predictions/${begun.operation.id}`,
        headers: { authorization: `Bearer ${fakeReplicateKey}` },
      },
    ])
  })

  it('is stopped without a body', async () => {
    await world.upstream.play('pending')
    const begun = await world.start()
    if (!('operation' in begun)) throw begun
    await world.provider.cancel?.(begun.operation, AbortSignal.timeout(1_000))
    expect(world.upstream.requests.at(-1)).toMatchObject({
      method: 'POST',
      path: `/v1/predictions/${begun.operation.id}/cancel`,
      body: undefined,
    })
  })

  it('and unknown to Replicate has failed for good', async () => {
    const check = world.provider.check?.({ id: 'gone', n: 1 }, AbortSignal.timeout(1_000))
    const verdict = { code: 'upstream_failed', attribution: 'upstream', dispatched: 'yes', retryable: false }
    expect(await check?.catch(asFailure)).toMatchObject(verdict)
  })

  it.each([
    ['<html>It works! a heron at dawn</html>', 200],
    ['{"id":"5pcm', 200],
    ['{"detail":"a heron at dawn"}', 200],
    ['{}', 503],
  ])('is not given up for an answer that says nothing: %s (%i)', async (body, status) => {
    const server = await serveHttp((_, response) => response.writeHead(status).end(body))
    await using other = await openReplicate({}, { baseUrl: `${server.origin}/v1` })
    const check = other.provider.check?.({ id: 'one', n: 1 }, AbortSignal.timeout(1_000))
    const failure = await check?.catch(asFailure)
    expect(failure).toMatchObject({ code: 'upstream_unavailable', dispatched: 'yes', retryable: true })
    expect(inspect(failure, { depth: 9, showHidden: true })).not.toContain('heron')
    await server.close()
  })

  it.each(['../account', 'a/b', '', 7, null])('has no id such as %j', async (id) => {
    const verdict = { code: 'upstream_invalid_response', dispatched: 'yes' }
    expect(await read({ id, status: 'starting' })).toMatchObject(verdict)
  })
})

describe('a prediction that failed', () => {
  const failed = { status: 'failed', output: null }

  it.each([
    'NSFW content detected. Try running it again, or try a different prompt.',
    'All generated images contained NSFW content. Try running it again with a different prompt.',
    'The input or output was flagged as sensitive. Please try again with different inputs. (E005)',
    'Request Moderated',
    'Content Moderated',
    'Your prompt was rejected by the safety filter.',
  ])('because of what it shows: %s', async (error) => {
    expect(await read({ ...failed, error })).toMatchObject({
      code: 'moderation_blocked',
      attribution: 'client',
      message: expect.stringContaining(error.slice(0, 20)),
      dispatched: 'yes',
      retryable: false,
    })
  })

  it.each([
    ['CUDA out of memory'],
    ['Prediction interrupted; please retry (code: PA)'],
    ['Director: unexpected error handling prediction (E6716)'],
    [null],
    [{ message: 'nsfw' }],
  ])('for another reason: %j', async (error) => {
    expect(await read({ ...failed, error })).toMatchObject({
      code: 'upstream_failed',
      attribution: 'upstream',
      dispatched: 'yes',
      retryable: false,
    })
  })

  it.each(['canceled', 'aborted'])('because it was %s', async (status) => {
    const verdict = { code: 'upstream_failed', dispatched: 'yes', retryable: false }
    expect(await read({ status, output: null })).toMatchObject({ ...verdict, detail: new RegExp(status) })
  })

  it.each(['a', 'e', 'on', 'sf'])('is a refusal also where the prompt is as short as %s', async (prompt) => {
    for (const error of ['Request Moderated', 'All generated images contained NSFW content.']) {
      expect(await read({ ...failed, error, input: { prompt } }, { prompt })).toMatchObject({
        code: 'moderation_blocked',
      })
    }
  })

  it('is no question of morals where only the prompt has such words', async () => {
    const prompt = 'a sign that says nsfw, flagged as sensitive'
    const error = `Cannot tokenise: ${prompt}`
    const failure = await read({ ...failed, error, input: { prompt } }, { prompt })
    expect(failure).toMatchObject({ code: 'upstream_failed' })
  })

  it('delivers what it made before, which is paid for', async () => {
    const error = 'CUDA out of memory'
    expect(await read({ status: 'failed', output: [url], error }, { n: 2 })).toMatchObject({
      status: 'completed',
      images: [{}],
      failures: [{ error: { code: 'upstream_failed', dispatched: 'yes', retryable: false } }],
    })
  })

  it.each(['canceled', 'aborted'])('delivers what it made before it was %s', async (status) => {
    expect(await read({ status, output: [url], error: null }, { n: 2 })).toMatchObject({
      status: 'completed',
      images: [{}],
      failures: [{ error: { code: 'upstream_failed', dispatched: 'yes', detail: new RegExp(status) } }],
    })
  })

  it('repeats nothing of its prompt, also where nobody says what to withhold', async () => {
    for (const scenario of ['failed work', 'moderation'] as const) {
      await world.upstream.play(scenario)
      const prompt = 'a very particular heron with a brass telescope'
      const begun = await world.start({ prompt })
      if (!('operation' in begun)) throw begun
      const failure = await world.provider
        .check?.(begun.operation, AbortSignal.timeout(1_000))
        .catch(asFailure)
      expect(failure).toMatchObject({ dispatched: 'yes' })
      expect(inspect(failure, { depth: 9, showHidden: true })).not.toContain('brass telescope')
    }
  })
})

describe('a call that is refused', () => {
  it('names the field in the caller’s words', async () => {
    const body = await fixture('validation')
    expect(await world.answered({ status: 422, body })).toMatchObject({
      code: 'invalid_image_request',
      attribution: 'client',
      param: 'num_inference_steps',
      message: expect.stringContaining('Must be less than or equal to 4'),
      dispatched: 'no',
    })
  })

  it.each([
    ['input.width', 'size'],
    ['input.input_images.0', 'image'],
    ['input.lora', 'lora_weights'],
    ['input.constructor', 'constructor'],
    ['version', null],
    ['input.<script>', null],
  ])('because of %s blames %s', async (field, param) => {
    const body = { detail: 'no', status: 422, invalid_fields: [{ field }] }
    expect(await world.answered({ status: 422, body })).toMatchObject({ param })
  })

  it('for the list of what is wrong says all of it', async () => {
    const body = {
      detail: [
        { loc: ['body'], msg: 'one' },
        { loc: ['body'], msg: 'two' },
      ],
    }
    expect(await world.answered({ status: 422, body })).toMatchObject({ message: /one; two/ })
  })

  it('for want of credit is the operator’s business', async () => {
    const body = { title: 'Insufficient credit', detail: 'You have insufficient credit', status: 402 }
    const verdict = { code: 'upstream_failed', attribution: 'platform', dispatched: 'no', retryable: false }
    expect(await world.answered({ status: 402, body })).toMatchObject({ ...verdict, message: /credit/ })
  })

  it.each([
    [{ detail: 'Request was throttled. Your rate limit resets in ~30s.' }, 30_000],
    [{ detail: 'Request was throttled. Your rate limit resets in ~30s.', retry_after: 5 }, 5_000],
    [{ detail: 'Request was throttled. Expected available in 4 seconds.' }, 4_000],
    [{ detail: 'Request was throttled.' }, 1_000],
    ['slow down', 1_000],
  ])('for haste says when to come back: %j', async (body, retryAfterMs) => {
    const verdict = { code: 'rate_limit_exceeded', dispatched: 'no', retryable: true, retryAfterMs }
    expect(await world.answered({ status: 429, body })).toMatchObject(verdict)
  })
})

describe('without a key', () => {
  it('Replicate itself is not called, and a server of one’s own is', async () => {
    await using official = await openReplicate({}, { apiKey: undefined, baseUrl: undefined })
    const verdict = { code: 'provider_not_configured', dispatched: 'no', message: /REPLICATE_API_TOKEN/ }
    expect(await official.start()).toMatchObject(verdict)
    await using own = await openReplicate({ apiKey: null }, { apiKey: undefined })
    expect(await own.start()).toMatchObject({ status: 'pending' })
    expect(own.upstream.requests[0]?.headers).not.toHaveProperty('authorization')
  })
})
