/**
 * fal's queue: work is submitted to a model's endpoint, asked for until it is done, and its result fetched. Always the
 * queue and never the synchronous host, so that work survives the connection and the process.
 * From https://fal.ai/docs/api-reference/inference-api, read 2026-11-20.
 */
import { httpUrl } from '../../lib/setting.ts'
import type { ProviderHttpAnswer, ProviderHttpCall } from '../http.ts'
import { hasPrivateHost } from '../private-host.ts'
import type { Operation, Provider, ProviderDefinition, ProviderPending } from '../provider.ts'
import { secretsOf } from '../request-secrets.ts'
import { missingKey, noPicture } from '../vendor-failure.ts'
import { addressOf, submissionAddress } from './fal-addresses.ts'
import { dialectNames } from './fal-dialects.ts'
import { questionFailure, resultFailure, submissionFailure, untoldResult } from './fal-failure.ts'
import { readResult } from './fal-reply.ts'
import { falCall } from './fal-request.ts'
import { type FalOperation, falOperation, wireStatus, wireSubmitted } from './fal-schema.ts'
import { createWebhookReader, defaultJwksUrl } from './fal-webhook.ts'

const title = 'fal'
const defaultBaseUrl = 'https://queue.fal.run'
const environment = { apiKey: 'FAL_KEY', baseUrl: 'FAL_BASE_URL' }
const names = { title, ...environment }

/**
 * Gesso decides itself about repetitions and other models: fal would run the work up to ten times, or on an endpoint
 * that nobody asked for. `X-Fal-Store-IO: 0` stays away: without stored payloads fal forgets a result after an hour at
 * most, and a paid picture with it.
 */
const policy = { 'x-fal-no-retry': '1', 'x-app-fal-disable-fallback': '1' }

/** The quickest models are done in less than a second. */
const firstCheckMs = 300
/** A question that takes longer than this is better asked again. */
const longestQuestionMs = 30_000
const runningCheckMs = 500
const queuedCheckMs = 1_000

export const fal: ProviderDefinition = {
  id: 'fal',
  title,
  environment,
  defaultBaseUrl,
  dialects: dialectNames,
  imagesPerCall: 1,
  /** `jwks_url`: where fal publishes the keys that sign its webhooks. */
  options: { jwks_url: httpUrl().default(defaultJwksUrl) },
  create({ apiKey, baseUrl = defaultBaseUrl, timeoutMs, maxResponseBytes, options }, { http }): Provider {
    const trusted = hasPrivateHost(baseUrl)
    const jwksUrl = String(options?.jwks_url ?? defaultJwksUrl)
    const webhooks = createWebhookReader({ http, names, jwksUrl, timeoutMs })
    const frame = (url: string, signal: AbortSignal, withhold?: readonly string[]): ProviderHttpCall => ({
      title,
      url,
      headers: apiKey ? { authorization: `Key ${apiKey}` } : {},
      timeoutMs,
      maxResponseBytes,
      signal,
      withhold,
    })
    return {
      id: 'fal',
      inputs: { mediaTypes: ['image/png', 'image/jpeg', 'image/webp'], mask: 'white' },
      async start(request, signal) {
        const { endpoint, body } = falCall(request, title)
        if (!apiKey && baseUrl === defaultBaseUrl) throw missingKey(names)
        const url = submissionAddress(endpoint, baseUrl, request.webhookUrl)
        const call = frame(url, signal, secretsOf(request))
        const answer = await http.postJson({ ...call, headers: { ...call.headers, ...policy }, body })
        if (answer.status >= 400) throw submissionFailure(answer, names)
        return pending(readSubmitted(answer, endpoint, request.n), firstCheckMs)
      },
      async check(operation, signal, withhold) {
        const note = falOperation.parse(operation)
        const ask = (question: 'status' | 'response') => {
          const call = frame(addressOf(question, note, baseUrl), signal, withhold)
          return http.getJson({ ...call, timeoutMs: Math.min(timeoutMs, longestQuestionMs) })
        }
        const answer = await ask('status')
        if (answer.status >= 400) throw questionFailure(answer, names)
        const progress = wireStatus.safeParse(answer.json)
        const status = progress.data?.status
        if (status !== 'COMPLETED') {
          return pending(operation, status === 'IN_QUEUE' ? queuedCheckMs : runningCheckMs)
        }
        const isFailed = Boolean(progress.data?.error || progress.data?.error_type)
        const result = await ask('response')
        if (result.status >= 400) throw resultFailure(result, names, isFailed)
        if (result.json === undefined) throw untoldResult(result, names)
        return readResult(result, { names, id: note.id, n: note.n, trusted })
      },
      async cancel(operation, signal) {
        const url = addressOf('cancel', falOperation.parse(operation), baseUrl)
        const answer = await http.putJson({ ...frame(url, signal), body: undefined })
        // What is done or gone cannot be stopped any more.
        if (answer.status === 400 || answer.status === 404) return
        if (answer.status >= 400) throw questionFailure(answer, names)
      },
      readWebhook: (webhook) => webhooks.read(webhook),
    }
  },
}

function pending(operation: Operation, checkAfterMs: number): ProviderPending {
  return { status: 'pending', operation, checkAfterMs }
}

function readSubmitted(answer: ProviderHttpAnswer, endpoint: string, n: number): FalOperation {
  const parsed = wireSubmitted.safeParse(answer.json)
  if (!parsed.success) throw noPicture(title, 'took the request and did not say its id', answer.excerpt())
  const { request_id, status_url, response_url, cancel_url } = parsed.data
  return {
    id: request_id,
    endpoint,
    n,
    statusUrl: status_url,
    responseUrl: response_url,
    cancelUrl: cancel_url,
  }
}
