import { afterEach, describe, expect, it } from 'vitest'
import { call, closeOpened } from './testing/gemini-call.ts'

afterEach(closeOpened)

const rpc = 'type.googleapis.com/google.rpc'
function say(code: number, status: string, message = 'told so', details?: object[]) {
  return { status: code, body: { error: { code, message, status, ...(details ? { details } : {}) } } }
}

const platform = { code: 'upstream_failed', attribution: 'platform', dispatched: 'no', retryable: false }
const limited = { code: 'rate_limit_exceeded', attribution: 'capacity', dispatched: 'no', retryable: true }
const invalid = { code: 'invalid_image_request', attribution: 'client', dispatched: 'no', retryable: false }
const unknown = { code: 'outcome_unknown', attribution: 'upstream', dispatched: 'unknown', retryable: false }

describe('an error', () => {
  it('about a quota waits as long as Google says in the body', async () => {
    const { outcome } = await call({}, { status: 429, fixture: 'quota.json' })
    expect(outcome).toMatchObject({ ...limited, retryAfterMs: 58_822 })
  })

  it.each([
    ['17s', 17_000],
    ['0s', 1_000],
    ['9000s', 3_600_000],
    ['soon', 1_000],
  ])('with a retryDelay of %s waits %d ms', async (retryDelay, retryAfterMs) => {
    const details = [{ '@type': `${rpc}.RetryInfo`, retryDelay }]
    const { outcome } = await call({}, say(429, 'RESOURCE_EXHAUSTED', 'told so', details))
    expect(outcome).toMatchObject({ ...limited, retryAfterMs })
  })

  it.each([
    [
      'a quota of nothing, in the details',
      'told so',
      [{ '@type': `${rpc}.QuotaFailure`, violations: [{ quotaValue: '0' }] }],
    ],
    ['a quota of nothing, in words', '* Quota exceeded for metric: requests, limit: 0, model: x', undefined],
    ['no free tier', "Gemini 3 Pro Image doesn't have a free quota tier.", undefined],
    ['used up money', 'Your prepayment credits are depleted.', undefined],
    ['a spending cap', 'Your project has exceeded its monthly spending cap.', undefined],
  ])('about %s needs a person with a wallet', async (_, message, details) => {
    const { outcome } = await call({}, say(429, 'RESOURCE_EXHAUSTED', message, details))
    expect(outcome).toMatchObject({
      ...platform,
      message: expect.stringContaining('no credit or quota left'),
    })
  })

  const key = { message: expect.stringContaining('GEMINI_API_KEY') }
  const elsewhere = { message: expect.stringContaining('from where Gesso runs') }
  const overloaded = {
    code: 'upstream_unavailable',
    attribution: 'upstream',
    dispatched: 'no',
    retryable: true,
  }
  it.each<[number, string, string, object]>([
    [400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', { ...platform, ...key }],
    [400, 'INVALID_ARGUMENT', 'API key expired. Please renew the API key.', { ...platform, ...key }],
    [401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.', { ...platform, ...key }],
    [403, 'PERMISSION_DENIED', "Method doesn't allow unregistered callers.", { ...platform, ...key }],
    [
      400,
      'FAILED_PRECONDITION',
      'User location is not supported for the API use.',
      { ...platform, ...elsewhere },
    ],
    [
      404,
      'NOT_FOUND',
      'models/x is not found for API version v1beta.',
      { ...platform, message: expect.stringContaining('models/x') },
    ],
    [400, 'INVALID_ARGUMENT', 'Unable to process input image.', { ...invalid, param: null }],
    [
      400,
      'INVALID_ARGUMENT',
      'Request payload size exceeds the limit: 20971520 bytes.',
      { code: 'request_too_large', dispatched: 'no' },
    ],
    [413, '', 'too large', { code: 'request_too_large', dispatched: 'no' }],
    [499, 'CANCELLED', 'The operation was cancelled.', unknown],
    [504, 'DEADLINE_EXCEEDED', 'Deadline expired before operation could complete.', unknown],
    [503, 'UNAVAILABLE', 'The model is overloaded.', overloaded],
    [
      500,
      'INTERNAL',
      'An internal error has occurred.',
      { code: 'upstream_failed', attribution: 'upstream', dispatched: 'yes' },
    ],
  ])('%d %s "%s" is told as what it is', async (code, status, message, verdict) => {
    const { outcome } = await call({}, say(code, status, message))
    expect(outcome).toMatchObject(verdict)
  })

  it('that Google explains by a reason needs no words', async () => {
    const details = [
      { '@type': `${rpc}.ErrorInfo`, reason: 'API_KEY_SERVICE_BLOCKED', domain: 'googleapis.com' },
    ]
    const { outcome } = await call({}, say(400, 'INVALID_ARGUMENT', 'told so', details))
    expect(outcome).toMatchObject({ ...platform, ...key })
  })

  it.each([
    ['generation_config.image_config.aspect_ratio', 'aspect_ratio'],
    ['generationConfig.imageConfig.imageSize', 'image_size'],
    ['generation_config.seed', 'seed'],
    ['contents[0].parts[1].inline_data.data', 'image'],
    ['generation_config.top_k', null],
  ])('about %s names %s', async (field, param) => {
    const details = [{ '@type': `${rpc}.BadRequest`, fieldViolations: [{ field, description: 'told so' }] }]
    const { outcome } = await call({}, say(400, 'INVALID_ARGUMENT', 'told so', details))
    expect(outcome).toMatchObject({
      ...invalid,
      param,
      message: 'Google Gemini did not accept this: told so',
    })
  })

  it('inside a list, without details, or of no known form is understood all the same', async () => {
    const { body } = say(429, 'RESOURCE_EXHAUSTED', 'limit: 0')
    expect((await call({}, { status: 429, body: [body] })).outcome).toMatchObject(platform)
    expect((await call({}, { status: 503, body: 'no' })).outcome).toMatchObject(overloaded)
    expect((await call({}, { status: 429, body: { error: { details: 7 } } })).outcome).toMatchObject(limited)
  })
})
