import { afterEach, describe, expect, it } from 'vitest'
import { ProviderError } from '../provider-error.ts'
import { call, closeOpened, key } from './testing/scripted-server.ts'

afterEach(closeOpened)

describe('an error', () => {
  const say = (error: object) => ({
    error: { message: 'told so', type: null, param: null, code: null, ...error },
  })
  const refused = { code: 'moderation_blocked', attribution: 'client', dispatched: 'yes', retryable: false }
  const invalid = { code: 'invalid_image_request', attribution: 'client', dispatched: 'no', retryable: false }
  const unpaid = { code: 'upstream_failed', attribution: 'platform', dispatched: 'no', retryable: false }
  const failed = { code: 'upstream_failed', attribution: 'upstream', retryable: false }
  const limited = { code: 'rate_limit_exceeded', attribution: 'capacity', dispatched: 'no', retryable: true }
  /** A success status may stand before work that costs money, whatever the error in it says. */
  const late = { dispatched: 'yes', retryable: false, retryAfterMs: undefined }

  it.each<[number, object | string, object]>([
    [400, { code: 'moderation_blocked', type: 'image_generation_user_error' }, refused],
    [400, { code: 'content_policy_violation' }, refused],
    [400, { code: 'contentFilter' }, refused],
    [400, { type: 'image_generation_user_error', message: 'rejected by the safety system' }, refused],
    [403, { code: 'content_policy_violation' }, refused],
    [400, { code: 'billing_hard_limit_reached' }, unpaid],
    [402, {}, unpaid],
    [429, { code: 'insufficient_quota', type: 'insufficient_quota' }, unpaid],
    [400, { param: 'size', code: 'invalid_value' }, { ...invalid, param: 'size' }],
    [422, {}, { ...invalid, param: null }],
    [400, 'a bare string', invalid],
    [401, { code: 'invalid_api_key' }, unpaid],
    [403, {}, unpaid],
    [404, { code: 'model_not_found' }, unpaid],
    [408, {}, { ...failed, dispatched: 'yes' }],
    [413, {}, { code: 'request_too_large', attribution: 'client', dispatched: 'no', retryable: false }],
    [418, {}, { ...failed, dispatched: 'no' }],
    [429, { code: 'rate_limit_exceeded' }, { ...limited, retryAfterMs: 1_000 }],
    [500, {}, { ...failed, dispatched: 'yes' }],
    [502, {}, { ...failed, dispatched: 'yes' }],
    [504, {}, { code: 'outcome_unknown', dispatched: 'unknown', retryable: false }],
    [503, {}, { code: 'upstream_unavailable', dispatched: 'no', retryable: true }],
    [200, { code: 'moderation_blocked' }, refused],
    [200, { code: 'insufficient_quota' }, { ...unpaid, ...late }],
    [500, { code: 'moderation_blocked' }, { ...failed, dispatched: 'yes' }],
    [200, { code: 'invalid_value', type: 'invalid_request_error' }, { ...invalid, ...late }],
    [200, { code: 401 }, { ...unpaid, ...late }],
    [200, { code: 429 }, { ...limited, ...late, code: 'upstream_failed' }],
    [200, { type: 'rate_limit_error' }, { ...limited, ...late, code: 'upstream_failed' }],
    [200, { code: 503 }, { ...failed, ...late }],
    [202, { code: '504' }, { ...late, code: 'outcome_unknown' }],
    [200, { message: 'no idea' }, { ...failed, ...late }],
    [400, { code: 'x', param: 'a heron at dawn' }, { ...invalid, param: null }],
    [400, { code: 'x', param: '\u0000' }, { ...invalid, param: null }],
  ])('%i %j is understood', async (status, error, expected) => {
    const reply = typeof error === 'string' ? { error } : say(error)
    const { outcome } = await call({ status, reply })
    expect(outcome).toMatchObject(expected)
    expect((outcome as ProviderError).message).toMatch(/^OpenAI /)
  })

  it('about the request quotes OpenAI', async () => {
    const { outcome } = await call({ status: 400, reply: 'moderation.json' })
    expect(outcome).toMatchObject({
      message:
        'OpenAI refused: Your request was rejected by the safety system. safety_violations=[violence].',
    })
  })

  it('about credentials names the variable and quotes nothing', async () => {
    const { outcome } = await call({ status: 401, reply: say({ message: `Incorrect API key: ${key}` }) })
    const { message, detail } = outcome as ProviderError
    expect(message).toBe(
      "OpenAI refused the credentials; check OPENAI_API_KEY, or the account's own key where it was used.",
    )
    expect(detail).not.toContain(key)
  })

  it.each(['a heron at dawn', 'A  HERON AT DAWN', 'no boats please', 'user-4711'])(
    'that repeats "%s" of the request is not quoted',
    async (echo) => {
      const { outcome } = await call(
        { status: 400, reply: say({ message: `Cannot draw "${echo}".` }) },
        { model: 'qwen-image', negativePrompt: 'no boats please', safetyIdentifier: 'user-4711' },
      )
      const { message, detail } = outcome as ProviderError
      expect(message).toBe('OpenAI did not accept this: (withheld: it repeated the request)')
      expect(detail).not.toMatch(/heron|boats|4711/i)
    },
  )

  it.each([
    ['one of two', { data: [{ error: { type: 'rate_limit_error' } }, {}] }],
    ['the second', { data: [null, { error: { code: 429 } }] }],
    ['both', { data: [{ error: { code: 503 } }, { error: { code: 401 } }] }],
    ['the whole, beside an empty list', { data: [], error: { type: 'rate_limit_error' } }],
  ])('about %s never invites paying twice', async (_, reply) => {
    const { outcome } = await call({ reply, headers: { 'retry-after': '1' } }, { n: 2 })
    expect(outcome).toBeInstanceOf(ProviderError)
    expect(outcome).toMatchObject(late)
  })

  it('that repeats the address of LoRA weights, which may hold a token, is not quoted', async () => {
    const loraWeights = 'https://weights.acme.test/t0ken/ink.safetensors'
    const told = say({ message: `Could not load ${loraWeights}.` })
    const asked = { model: 'qwen-image', extraLoraWeights: [loraWeights] }
    const { outcome } = await call({ status: 400, reply: told }, asked)
    expect(`${(outcome as ProviderError).message} ${(outcome as ProviderError).detail}`).not.toContain(
      't0ken',
    )
    const plain = await call({ status: 400, reply: say({ message: 'No such LoRA: acme/ink.' }) }, asked)
    expect((plain.outcome as ProviderError).message).toContain('acme/ink')
  })

  it('about one of several pictures spares the others', async () => {
    const error = { code: 'content_policy_violation', message: 'told so' }
    const item = { b64_json: Buffer.from('picture').toString('base64') }
    const { outcome } = await call({ reply: { data: [item, { error }] } }, { n: 2 })
    expect(outcome).toMatchObject({ images: [{}], failures: [{ error: refused }] })
    const { outcome: none } = await call({ reply: { data: [{ error }, { error }] } }, { n: 2 })
    expect(none).toMatchObject(refused)
  })

  it.each([
    [429, { 'retry-after-ms': '1250', 'retry-after': '2' }, 1_250],
    [429, { 'retry-after': '864000' }, 3_600_000],
    [503, { 'retry-after': '2.5' }, 2_500],
    [503, {}, undefined],
  ])('%i with %j is worth trying again in %s ms', async (status, headers, retryAfterMs) => {
    const { outcome } = await call({ status, headers, reply: say({}) })
    expect((outcome as ProviderError).retryAfterMs).toBe(retryAfterMs)
  })
})
