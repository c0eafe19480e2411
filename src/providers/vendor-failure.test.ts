import { describe, expect, it } from 'vitest'
import type { ProviderHttpAnswer } from './http.ts'
import { checkFailure, vendorFailure } from './vendor-failure.ts'

const names = { title: 'Acme', apiKey: 'ACME_KEY', baseUrl: 'ACME_BASE_URL' }

function answer(status: number): ProviderHttpAnswer {
  return { status, headers: { get: () => undefined }, json: undefined, excerpt: (text = '') => text }
}

describe('the answer to a question about accepted work', () => {
  it.each([401, 402, 403, 408, 429, 500, 502, 503, 504, 520])(
    'with %i may be another one later',
    (status) => {
      const verdict = { code: 'upstream_unavailable', retryable: true, dispatched: 'yes' }
      expect(checkFailure(answer(status), names)).toMatchObject(verdict)
    },
  )

  it.each(['credentials', 'unpaid'] as const)('that names %s may be another one later', (kind) => {
    expect(checkFailure(answer(403), names, { kind })).toMatchObject({ retryable: true, dispatched: 'yes' })
  })

  it.each([400, 404, 409, 410, 413, 422])('with %i ends the work, and blames nobody’s request', (status) => {
    const error = checkFailure(answer(status), names)
    const verdict = { code: 'upstream_failed', attribution: 'upstream', retryable: false, dispatched: 'yes' }
    expect(error).toMatchObject(verdict)
    expect(error.message).not.toMatch(/this model|ACME_BASE_URL|accept|large/)
  })

  it('that says what was wrong with the work is believed', () => {
    const error = checkFailure(answer(400), names, { kind: 'request', message: 'no such style' })
    expect(error).toMatchObject({ code: 'invalid_image_request', attribution: 'client', dispatched: 'yes' })
  })
})

it('a submission is told by its status as before', () => {
  expect(vendorFailure(answer(404), names).message).toContain('does not know this model')
  expect(vendorFailure(answer(402), names)).toMatchObject({ attribution: 'platform', dispatched: 'no' })
})
