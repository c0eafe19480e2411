import { afterEach, describe, expect, it } from 'vitest'
import { startFakeBfl } from '../../../test/upstreams/bfl.ts'
import {
  check,
  closeOpened,
  connect,
  orError,
  requestFor,
  type Scripted,
  serve,
  start,
} from './testing/scripted-server.ts'

afterEach(closeOpened)

const id = 'd5ba37dc-ba09-4658-852e-deea7e176439'
const patience = () => AbortSignal.timeout(5_000)

describe('accepted work', () => {
  it('is noted with its price, and without an address on a host that is not ours', async () => {
    const { outcome } = await start({ reply: 'accepted.json' })
    expect(outcome).toEqual({ status: 'pending', operation: { id, costMicros: 30_000 }, checkAfterMs: 250 })
  })

  it('is asked for at the address that was told, as it is', async () => {
    const server = await serve({ reply: 'pending.json' })
    const told = `${server.origin}/v1/get_result?shard=eu%2F2&id=${id}`
    const accepting = await serve({ reply: { id, polling_url: told } })
    const provider = connect(accepting.url)
    const foreign = await provider.start(requestFor(), patience())
    // Another port is another host.
    expect(foreign).toMatchObject({ operation: { id } })
    expect(foreign).not.toHaveProperty('operation.pollingUrl')
    await connect(server.url).check?.({ id, pollingUrl: told }, patience())
    expect(server.seen.at(-1)).toMatchObject({ method: 'GET', path: `/v1/get_result?shard=eu%2F2&id=${id}` })
  })

  it('is asked for by its id where a webhook took the place of the address', async () => {
    const webhookUrl = 'https://gesso.example/v1/webhooks/bfl'
    const server = await serve({ reply: 'accepted-webhook.json' }, { reply: 'ready.json' })
    const provider = connect(server.url)
    const started = await provider.start(requestFor({ webhookUrl }), patience())
    const body = { webhook_url: webhookUrl, webhook_secret: expect.stringMatching(/^[0-9a-f]{64}$/) }
    expect(server.seen[0]?.body).toMatchObject(body)
    if (started.status !== 'pending') throw new Error('it was done at once')
    const done = await provider.check?.(started.operation, patience())
    expect(server.seen[1]?.path).toBe(`/v1/get_result?id=${id}`)
    expect(done).toMatchObject({ status: 'completed', costMicros: 14_000 })
  })

  it.each<[string, unknown]>([
    ['no id', { polling_url: 'http://127.0.0.1/v1/get_result' }],
    ['an empty id', { id: '' }],
    ['a number for an id', { id: 7 }],
    ['a list', [1]],
  ])('that is named by %s is lost', async (_, reply) => {
    const { outcome } = await start({ reply })
    expect(outcome).toMatchObject({ code: 'upstream_invalid_response', dispatched: 'yes', retryable: false })
  })
})

describe('the key', () => {
  it('never goes to a foreign host, whatever the answer says', async () => {
    const foreign = await serve({ reply: 'pending.json' })
    await using fake = await startFakeBfl({ pollingOrigin: foreign.origin })
    const provider = connect(fake.url)
    const started = await provider.start(requestFor(), patience())
    if (started.status !== 'pending') throw new Error('it was done at once')
    const forged = { ...started.operation, pollingUrl: `${foreign.origin}/v1/get_result?id=x` }
    for (const operation of [started.operation, forged]) {
      expect(await provider.check?.(operation, patience())).toMatchObject({ status: 'completed' })
    }
    expect(foreign.seen).toEqual([])
    expect(fake.requests.map(({ path }) => path.replace(/=.*/, ''))).toEqual([
      '/v1/flux-2-pro',
      '/v1/get_result?id',
      '/v1/get_result?id',
    ])
  })
})

describe('a result', () => {
  it('is an address with its seed, and the price that was told at the beginning', async () => {
    const { outcome } = await check({ reply: 'ready.json' }, { id, costMicros: 30_000 })
    const url =
      'https://delivery-eu2.bfl.ai/results/3f/77a1c/sample.jpeg?se=2026-11-20T10%3A10%3A00Z&sp=r&sig=abc%3D'
    expect(outcome).toEqual({
      status: 'completed',
      images: [{ source: { kind: 'url', url, trusted: true }, seed: 4_277_067_122 }],
      costMicros: 30_000,
      upstreamRequestId: id,
    })
  })

  it.each([
    [{ cost: 4.5 }, 45_000],
    [{ cost: 0 }, 0],
    [{ cost: null }, 30_000],
    [{ cost: 'dear' }, 30_000],
    [{ cost: -1 }, 30_000],
    [{ cost: 1e308 }, 30_000],
    [{ cost: 100_001 }, 30_000],
  ])('with %j costs %d micros', async (cost, costMicros) => {
    const reply = { status: 'Ready', result: { sample: 'https://delivery.bfl.ai/a.png' }, ...cost }
    const { outcome } = await check({ reply }, { id, costMicros: 30_000 })
    expect(outcome).toMatchObject({ costMicros, images: [{}] })
    expect(outcome).not.toHaveProperty('images.0.seed')
  })

  it.each([
    null,
    {},
    { sample: null },
    { sample: '' },
    { sample: '/files/a.png' },
    { sample: 'file:///etc/passwd' },
  ])('without an address is lost: %j', async (result) => {
    const { outcome } = await check({ reply: { status: 'Ready', result } })
    expect(outcome).toMatchObject({ code: 'upstream_invalid_response', dispatched: 'yes', retryable: false })
  })
})

describe('a state', () => {
  it('is told with its progress', async () => {
    const operation = { id, pollingUrl: 'https://elsewhere.example/', costMicros: 1 }
    const { outcome } = await check({ reply: 'pending.json' }, operation)
    expect(outcome).toEqual({ status: 'pending', operation, checkAfterMs: 500, progress: 0.35 })
  })

  it.each([
    { status: 'reasoning' },
    { status: 'Generating', progress: null },
    { status: 'Daydreaming', progress: 'half' },
    { state: 'Pending', progress: 40 },
  ])('that is no end is waited for, with no progress that makes no sense: %j', async (reply) => {
    const { outcome } = await check({ reply })
    expect(outcome).toEqual({ status: 'pending', operation: { id: 'work-1' }, checkAfterMs: 500 })
  })

  it.each<[string, Scripted]>([
    ['Derivative Works Filter', { reply: 'moderated.json' }],
    ['Content Moderated', { reply: { status: 'Content Moderated' } }],
    ['content_policy_violation', { reply: { status: 'Error', error: 'content_policy_violation' } }],
  ])('of moderation is a refusal that names %s', async (reason, scripted) => {
    const { outcome } = await check(scripted)
    expect(outcome).toMatchObject({
      code: 'moderation_blocked',
      attribution: 'client',
      dispatched: 'yes',
      retryable: false,
      message: expect.stringContaining(reason),
    })
  })

  it.each<[string, Scripted]>([
    ['Error', { reply: { status: 'Error', details: { error: 'Out of memory' } } }],
    ['Failed', { reply: { status: 'Failed' } }],
    ['Task not found', { reply: 'not-found.json' }],
    ['Task not found', { status: 404, reply: 'not-found.json' }],
  ])('of failure ends the work: %s', async (reason, scripted) => {
    const { outcome } = await check(scripted)
    expect(outcome).toMatchObject({
      code: 'upstream_failed',
      attribution: 'upstream',
      dispatched: 'yes',
      retryable: false,
      detail: expect.stringContaining(reason),
    })
  })

  it.each<[string, Scripted]>([
    ['a page', { reply: 'It works!' }],
    ['nothing', { reply: {} }],
    ['an odd status', { reply: { status: 7 } }],
    ['429', { status: 429, reply: { detail: 'slow down' } }],
    ['502', { status: 502, reply: 'bad gateway' }],
    ['503', { status: 503, reply: { status: 'Error', message: 'no healthy upstream' } }],
    ['500', { status: 500, reply: { detail: 'content_policy service is down' } }],
  ])('that cannot be told is asked for again: %s', async (_, scripted) => {
    const { outcome } = await check(scripted)
    expect(outcome).toMatchObject({ code: 'upstream_unavailable', dispatched: 'yes', retryable: true })
  })

  it('whose telling repeats the prompt is not quoted', async () => {
    const details = { 'Moderation Reasons': ['A Heron  at dawn is not wanted'] }
    const { outcome } = await check({ reply: { status: 'Request Moderated', details } })
    expect(outcome).toMatchObject({ code: 'moderation_blocked' })
    expect(JSON.stringify(outcome) + String(outcome)).not.toMatch(/heron/i)
  })
})

describe('a refused submission', () => {
  it.each<[Scripted, object]>([
    [
      { status: 422, reply: 'invalid.json' },
      {
        code: 'invalid_image_request',
        attribution: 'client',
        param: 'size',
        dispatched: 'no',
        message:
          'Black Forest Labs did not accept this: width: Input should be greater than or equal to 64; height: Input should be a multiple of 16',
      },
    ],
    [
      {
        status: 422,
        reply: { detail: [{ loc: ['body', 'input_image_2'], msg: 'too large', type: 'value_error' }] },
      },
      { code: 'invalid_image_request', param: 'image' },
    ],
    [
      { status: 422, reply: { detail: [{ loc: ['body', 'toString'], msg: 'odd' }] } },
      { code: 'invalid_image_request', param: null },
    ],
    [
      { status: 400, reply: { message: 'no such thing' } },
      { code: 'invalid_image_request', param: null },
    ],
    [
      { status: 402, reply: { detail: 'Insufficient credits' } },
      { attribution: 'platform', dispatched: 'no' },
    ],
    [
      { status: 403, reply: { detail: 'Not authenticated' } },
      { attribution: 'platform', dispatched: 'no' },
    ],
    [
      { status: 404, reply: { detail: 'Not Found' } },
      { attribution: 'platform', dispatched: 'no' },
    ],
    [
      { status: 400, reply: { error: 'content_policy_violation' } },
      { code: 'moderation_blocked', attribution: 'client' },
    ],
    [
      { status: 429, reply: {} },
      { code: 'rate_limit_exceeded', retryable: true, dispatched: 'no' },
    ],
    [
      { status: 500, reply: 'oops' },
      { code: 'upstream_failed', retryable: false, dispatched: 'yes' },
    ],
  ])('with %j is told as %j', async (scripted, expected) => {
    expect((await start(scripted)).outcome).toMatchObject(expected)
  })

  it('never shows the address of the webhook', async () => {
    const webhookUrl = 'https://gesso.example/hooks/8c1f0e2d4b6a'
    const reply = { message: `cannot reach ${webhookUrl}` }
    const { outcome } = await start({ status: 400, reply }, { webhookUrl })
    expect(outcome).toMatchObject({ code: 'invalid_image_request' })
    expect(JSON.stringify(outcome) + String(outcome)).not.toContain('8c1f0e2d4b6a')
  })

  it('never shows the secret of the webhook', async () => {
    const server = await serve({ reply: 'accepted.json' })
    const provider = connect(server.url)
    await provider.start(requestFor({ webhookUrl: 'https://gesso.example/w' }), patience())
    const secret = Object(server.seen[0]?.body).webhook_secret
    const refusing = await serve({ status: 400, reply: { message: `what is ${secret}?` } })
    const asking = connect(refusing.url).start(
      requestFor({ webhookUrl: 'https://gesso.example/w' }),
      patience(),
    )
    const error = await orError(asking)
    expect(error).toMatchObject({ code: 'invalid_image_request' })
    expect(JSON.stringify(error) + String(error)).not.toContain(secret)
  })
})
