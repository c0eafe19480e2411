import { afterEach, describe, expect, it } from 'vitest'
import { call, closeOpened, fixture } from './testing/scripted-ark.ts'

afterEach(closeOpened)

const pixels = Buffer.alloc(3_000, 7)
const base64 = pixels.toString('base64')
const error = {
  code: 'InputImageRiskDetection',
  message: 'The request failed because the image is risky.',
}

describe('an answer', () => {
  it('as documented gives the picture, its size, the tokens and the request', async () => {
    const headers = { 'x-request-id': '0217573211390' }
    expect(await call({ reply: fixture('generation.json'), headers })).toEqual({
      status: 'completed',
      images: [
        {
          position: 0,
          source: {
            kind: 'url',
            url: expect.stringMatching(/^https:.*_0\.jpeg\?X-Tos-Algorithm=.*Signature=ab12$/),
            trusted: true,
          },
        },
      ],
      usage: { outputTokens: 15_907, totalTokens: 15_907 },
      effective: { size: '3104x1312' },
      upstreamRequestId: '0217573211390',
    })
  })

  it('with a picture that failed beside others tells of it', async () => {
    const told = await call({ reply: fixture('series-partial.json') }, { series: { maxImages: 3 } })
    expect(told).toMatchObject({
      images: [{ source: { kind: 'url' } }, { source: { kind: 'url' } }],
      failures: [{ error: { code: 'moderation_blocked', dispatched: 'yes', retryable: false } }],
      usage: { totalTokens: 32_640 },
    })
  })

  it.each([
    ['long base64', base64, pixels],
    ['short base64', 'c2hvcnQ=', Buffer.from('short')],
  ])('gives the bytes of %s, even beside an address', async (_, b64_json, bytes) => {
    const url = 'https://example.com/a.jpeg'
    const told = await call({ reply: { data: [{ b64_json, url, size: '1024x1024' }] } })
    expect(told).toMatchObject({ images: [{ source: { kind: 'bytes', bytes } }] })
  })

  it('that is odd in everything but the picture is a success', async () => {
    const usage = { output_tokens: '7', total_tokens: -1 }
    const reply = { created: 'now', data: [{ b64_json: base64, size: 7, error: 'none' }], usage, error: null }
    expect(await call({ reply })).toMatchObject({ status: 'completed', images: [{}] })
  })

  it.each([-1, 1.5, 1_000_000_001, 1e308, 'NaN', null, {}])('never used %j tokens', async (count) => {
    const usage = { generated_images: count, output_tokens: count, total_tokens: 7 }
    expect(await call({ reply: { data: [{ b64_json: base64 }], usage } })).toMatchObject({
      images: [{}],
      usage: { outputTokens: undefined, totalTokens: 7 },
    })
  })

  it('with sizes that differ names none', async () => {
    const data = [
      { b64_json: base64, size: '2048x2048' },
      { b64_json: base64, size: '2496x1664' },
    ]
    const told = await call({ reply: { data } }, { series: {} })
    expect(told).toMatchObject({ images: [{}, {}], effective: { size: undefined } })
  })

  it.each([
    ['one picture where one was asked for', {}, 3, 1],
    ['no more than a series was to have', { series: { maxImages: 2 } }, 3, 2],
    ['all of a series', { series: {} }, 15, 15],
    ['a short series, which lacks nothing', { series: { maxImages: 9 } }, 1, 1],
  ])('gives %s', async (_, overrides, count, taken) => {
    const data = Array.from({ length: count }, () => ({ b64_json: base64 }))
    const told = await call({ reply: { data } }, overrides)
    expect(told).toMatchObject({ images: Array.from({ length: taken }, () => ({})) })
    expect(told).not.toHaveProperty('failures')
  })

  it('with pictures and an error beside them is a success that lacks something', async () => {
    const told = await call({ reply: { data: [{ b64_json: base64 }], error } }, { series: { maxImages: 4 } })
    expect(told).toMatchObject({ images: [{}], failures: [{ error: { code: 'moderation_blocked' } }] })
  })

  it.each([
    ['beside no data', { error }],
    ['as its only picture', { data: [{ error }] }],
    ['beside empty data', { data: [], error }],
  ])('with an error %s fails with it', async (_, reply) => {
    expect(await call({ reply })).toMatchObject({
      code: 'moderation_blocked',
      attribution: 'client',
      dispatched: 'yes',
      message: 'ByteDance Ark refused: The request failed because the image is risky.',
    })
  })

  it.each([
    ['InternalServiceError', 'upstream_failed', 'upstream'],
    ['ModelAccountIpmRateLimitExceeded', 'upstream_failed', 'upstream'],
    ['AccountOverdueError', 'upstream_failed', 'platform'],
  ])('with %s inside is never worth a repetition: it was accepted', async (code, told, attribution) => {
    const reply = { data: [{ error: { code, message: 'told so' } }] }
    expect(await call({ reply })).toMatchObject({
      code: told,
      attribution,
      dispatched: 'yes',
      retryable: false,
    })
  })

  it.each<[string, unknown]>([
    ['no data', {}],
    ['empty data', { data: [] }],
    ['data of another kind', { data: 'here' }],
    ['an entry that is none', { data: [null] }],
    ['empty strings', { data: [{ b64_json: '', url: '' }] }],
    ['text that is no base64', { data: [{ b64_json: 'not a picture!' }] }],
    ['an address that is none', { data: [{ url: '/a.jpeg' }] }],
    ['a list', []],
    ['null', null],
    ['no JSON', '<html>It works!</html>'],
  ])('with %s is no success', async (_, reply) => {
    expect(await call({ reply })).toMatchObject({
      code: 'upstream_invalid_response',
      dispatched: 'yes',
      retryable: false,
    })
  })
})
