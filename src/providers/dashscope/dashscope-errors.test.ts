/** What becomes of the vendor's refusals, by the codes of its documentation. */
import { afterEach, describe, expect, it } from 'vitest'
import { startFakeDashScope } from '../../../test/upstreams/dashscope.ts'
import { closeOpened, connect, failure, requestFor, scripted } from './testing/connect.ts'

afterEach(closeOpened)

const patience = () => AbortSignal.timeout(5_000)
const refusal = (code: string, message = 'It is so.') => ({ code, message, request_id: 'r-1' })
const operation = () => ({ id: 't', owed: 1, atMost: 1, startedAt: Date.now() })

describe('a call that is refused', () => {
  it.each<[number, string, object]>([
    [400, 'InvalidParameter', { code: 'invalid_image_request', attribution: 'client' }],
    [400, 'InvalidParameter.DataInspection', { code: 'invalid_image_request', attribution: 'client' }],
    [400, 'InvalidURL', { code: 'invalid_image_request', attribution: 'client', param: 'image' }],
    [400, 'DataInspectionFailed', { code: 'moderation_blocked', attribution: 'client' }],
    [400, 'data_inspection_failed', { code: 'moderation_blocked', attribution: 'client' }],
    [400, 'IPInfringementSuspect', { code: 'moderation_blocked', attribution: 'client' }],
    [400, 'Arrearage', { code: 'upstream_failed', attribution: 'platform', retryable: false }],
    [
      403,
      'AllocationQuota.FreeTierOnly',
      { code: 'upstream_failed', attribution: 'platform', retryable: false },
    ],
    [401, 'InvalidApiKey', { code: 'upstream_failed', attribution: 'platform', retryable: false }],
    [403, 'AccessDenied', { code: 'upstream_failed', attribution: 'platform', retryable: false }],
    [404, 'ModelNotFound', { code: 'upstream_failed', attribution: 'platform', retryable: false }],
    [429, 'Throttling', { code: 'rate_limit_exceeded', attribution: 'capacity', retryable: true }],
    [
      429,
      'Throttling.AllocationQuota',
      { code: 'rate_limit_exceeded', attribution: 'capacity', retryable: true },
    ],
    [503, 'ModelUnavailable', { code: 'upstream_unavailable', attribution: 'upstream', retryable: true }],
    [500, 'InternalError', { code: 'upstream_failed', attribution: 'upstream', retryable: false }],
  ])('with %i %s', async (status, code, told) => {
    for (const model of ['qwen-image-2.0', 'wan2.6-t2i']) {
      const provider = await scripted(status, refusal(code))
      expect(await failure(provider.start(requestFor({ model }), patience()))).toMatchObject(told)
    }
  })

  it('for its key is told that keys belong to a region', async () => {
    const provider = await scripted(401, refusal('InvalidApiKey', 'Invalid API-key provided.'))
    const { message } = await failure(provider.start(requestFor(), patience()))
    expect(message).toContain('DASHSCOPE_API_KEY')
    expect(message).toContain('region')
    expect(message).toContain('DASHSCOPE_BASE_URL')
  })

  it('for its protocol is told that, and not to check a key that is good', async () => {
    const said = 'current user api does not support synchronous calls.'
    const provider = await scripted(403, refusal('AccessDenied', said))
    const error = await failure(provider.start(requestFor({ model: 'wan3' }), patience()))
    expect(error).toMatchObject({ code: 'upstream_failed', attribution: 'platform', dispatched: 'no' })
    expect(error.message).toContain(`its dialect may be another one. ${said}`)
    expect(error.message).not.toContain('DASHSCOPE_API_KEY')
  })

  it('is not even made without a key', async () => {
    const provider = connect('http://127.0.0.1:1/api/v1', '')
    const error = await failure(provider.start(requestFor(), patience()))
    expect(error).toMatchObject({ code: 'provider_not_configured', dispatched: 'no' })
  })

  it('quotes the vendor without the words of the request', async () => {
    const words = { prompt: 'a very secret unicorn in a garden', negativePrompt: 'nothing that is known' }
    for (const secret of Object.values(words)) {
      const provider = await scripted(400, refusal('InvalidParameter', `Not "${secret}", please.`))
      const error = await failure(provider.start(requestFor(words), patience()))
      expect(`${error.message} ${error.detail}`).not.toContain(secret)
    }
  })
})

describe('a question that is refused', () => {
  it.each<[number, string]>([
    [429, 'Throttling.RateQuota'],
    [500, 'InternalError'],
    [503, 'ModelUnavailable'],
    // A key may be changed and a bill be paid, while what is made already waits to be asked for.
    [401, 'InvalidApiKey'],
    [403, 'AccessDenied'],
    [400, 'Arrearage'],
    [403, 'AllocationQuota.FreeTierOnly'],
    [400, 'Throttling.RateQuota'],
  ])('with %i %s may be asked again', async (status, code) => {
    const error = await failure(
      Promise.resolve((await scripted(status, refusal(code))).check?.(operation(), patience())),
    )
    expect(error).toMatchObject({ code: 'upstream_unavailable', dispatched: 'yes', retryable: true })
  })

  it.each<[number, string, string]>([
    [400, 'InvalidParameter', 'invalid_image_request'],
    [404, 'NotFound', 'outcome_unknown'],
  ])('with %i %s is not', async (status, code, told) => {
    const error = await failure(
      Promise.resolve((await scripted(status, refusal(code))).check?.(operation(), patience())),
    )
    expect(error).toMatchObject({ code: told, retryable: false })
  })
})

describe('a wish to stop', () => {
  it('that comes too late changes nothing', async () => {
    await using upstream = await startFakeDashScope({ otherSize: { width: 64, height: 64 }, jobMs: 20 })
    const provider = connect(upstream.url)
    const begun = await provider.start(requestFor({ model: 'qwen-image' }), patience())
    if (begun.status !== 'pending') throw new Error('it was done at once')
    await provider.cancel?.(begun.operation, patience())
    expect(upstream.requests.at(-1)).toMatchObject({
      method: 'POST',
      path: `/api/v1/tasks/${begun.operation.id}/cancel`,
      body: undefined,
    })
    expect(upstream.cancellations()).toBe(0)
    await expect
      .poll(async () => (await provider.check?.(begun.operation, patience()))?.status, { interval: 10 })
      .toBe('completed')
  })
})
