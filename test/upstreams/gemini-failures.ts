/** What Gemini says when it will not or cannot, in its own statuses and reasons. */
import type { FakeAnswer, RecordedRequest, StatusScenario } from './fake-upstream.ts'
import { errorInfo, GeminiRefusal } from './gemini-refusal.ts'

const limits =
  'For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.'
const overQuota = `You exceeded your current quota, please check your plan and billing details. ${limits}`

/** Both look alike but for the numbers: this many were allowed, and this long to wait. */
function exhausted(quotaValue: string, retryDelay: string): GeminiRefusal {
  const metric = 'generativelanguage.googleapis.com/generate_content_free_tier_requests'
  const message = `${overQuota}\n* Quota exceeded for metric: ${metric}, limit: ${quotaValue}, model: gemini-3.1-flash-image\nPlease retry in ${retryDelay}.`
  const quotaId = 'GenerateRequestsPerMinutePerProjectPerModel-FreeTier'
  return new GeminiRefusal(429, 'RESOURCE_EXHAUSTED', message, [
    {
      '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
      violations: [{ quotaMetric: metric, quotaId, quotaValue }],
    },
    { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay },
  ])
}

const failures: Partial<Record<StatusScenario, GeminiRefusal>> = {
  '401': new GeminiRefusal(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', [
    errorInfo('API_KEY_INVALID'),
  ]),
  // Gemini has no 402: a project without billing has a quota of nothing.
  '402': exhausted('0', '17s'),
  '429': exhausted('10', '17.5s'),
  '500': new GeminiRefusal(
    500,
    'INTERNAL',
    'An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting',
  ),
  '503': new GeminiRefusal(503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.'),
}

const refused =
  "Unable to show the generated image. The image was filtered out because it violated Google's Generative AI Prohibited Use policy."

/** The answer of a scenario; nothing where it means nothing to a vendor that answers at once. */
export function geminiFailureAnswer(
  scenario: StatusScenario,
  request: RecordedRequest,
  echo: boolean,
): FakeAnswer | undefined {
  const key = request.headers['x-goog-api-key']
  const repeated = echo ? ` ${JSON.stringify(request.body)} ${key} ${'iVBORw0KGgo'.repeat(30)}` : ''
  if (scenario === 'moderation') return pictureless('IMAGE_SAFETY', { finishMessage: refused + repeated })
  if (scenario === 'empty') {
    return pictureless('STOP', { content: { role: 'model', parts: [{ text: `Here you are!${repeated}` }] } })
  }
  const failure = failures[scenario]
  if (!failure) return undefined
  const { error } = failure.body()
  return { status: failure.code, body: { error: { ...error, message: error.message + repeated } } }
}

function pictureless(finishReason: string, rest: object): FakeAnswer {
  return {
    status: 200,
    body: {
      candidates: [{ ...rest, finishReason, index: 0 }],
      usageMetadata: { promptTokenCount: 9, totalTokenCount: 9 },
      modelVersion: 'gemini-3.1-flash-image',
      responseId: 'fake-response-0',
    },
  }
}
