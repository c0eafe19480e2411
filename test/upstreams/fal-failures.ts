/** What fal says when it will not or cannot, in its own statuses, types and headers. */
import type { FakeAnswer } from './fake-upstream.ts'

/** Answers to a submission. */
export const falRefusals = {
  '401': { status: 401, body: { detail: 'No user found for Key ID and Secret' } },
  // fal locks an account without credit, and has no 402.
  '402': {
    status: 403,
    body: {
      detail: 'User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing.',
    },
  },
  '429': {
    status: 429,
    headers: { 'retry-after': '1' },
    body: { detail: 'Too many requests. Slow down.' },
  },
  '500': { status: 500, body: { detail: 'Internal Server Error' } },
  '503': { status: 503, headers: { 'retry-after': '2' }, body: { detail: 'Service Unavailable' } },
} satisfies Record<string, FakeAnswer & { body: { detail: string } }>

/** What stands where the result of failed work should be. With `echo` it repeats the input, as fal's `input` does. */
export function falWorkFailure(
  what: 'moderation' | 'failed work' | 'canceled',
  input: unknown,
  key: string,
  echo: boolean,
): FakeAnswer {
  const repeated = echo ? ` ${JSON.stringify(input)} Key ${key} ${'iVBORw0KGgo'.repeat(30)}` : ''
  if (what === 'canceled') {
    return {
      status: 499,
      headers: { 'x-fal-error-type': 'client_cancelled' },
      body: { detail: 'Request was cancelled', error_type: 'client_cancelled' },
    }
  }
  const [status, type, msg] =
    what === 'moderation'
      ? [
          422,
          'content_policy_violation',
          'The content could not be processed because it contained material flagged by a content checker.',
        ]
      : [500, 'internal_server_error', 'Internal server error']
  const url = `https://docs.fal.ai/errors/#${type}`
  return {
    status,
    headers: { 'x-fal-retryable': 'false' },
    body: { detail: [{ loc: ['body', 'prompt'], msg: `${msg}${repeated}`, type, url, input }] },
  }
}
