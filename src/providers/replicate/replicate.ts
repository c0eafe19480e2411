/**
 * Replicate: models of many makers behind one API of predictions (HTTP API reference on replicate.com, read 2026-11-20).
 * A prediction is created without waiting (never `Prefer: wait`), so that its id is known, and can be kept, before anybody
 * waits for its pictures. They lie at addresses of their own for an hour.
 */
import { Secret } from '../../lib/secret.ts'
import { secret } from '../../lib/setting.ts'
import type { ProviderHttpCall } from '../http.ts'
import { askAboutKey } from '../key-check.ts'
import { hasPrivateHost } from '../private-host.ts'
import type { Operation, Provider, ProviderDefinition } from '../provider.ts'
import { secretsOf } from '../request-secrets.ts'
import { missingKey } from '../vendor-failure.ts'
import { dialectNames } from './replicate-dialects.ts'
import { questionFailure, submissionFailure } from './replicate-failure.ts'
import { inputMediaTypes, uploadLarge } from './replicate-files.ts'
import { readChecked, readCreated } from './replicate-reply.ts'
import { predictionBody, predictionCall } from './replicate-request.ts'
import { isSigningSecret, readSignedMessage } from './replicate-webhook.ts'

const title = 'Replicate'
const defaultBaseUrl = 'https://api.replicate.com/v1'
const environment = {
  apiKey: 'REPLICATE_API_TOKEN',
  baseUrl: 'REPLICATE_BASE_URL',
  options: { webhook_secret: 'REPLICATE_WEBHOOK_SIGNING_SECRET' },
}
/** A question that takes longer than this is better asked again. */
const longestQuestionMs = 30_000
const expectedSecret = 'the signing secret of the account, whsec_…'
const names = { title, apiKey: environment.apiKey, baseUrl: environment.baseUrl }

export const replicate: ProviderDefinition = {
  id: 'replicate',
  title,
  environment,
  defaultBaseUrl,
  dialects: dialectNames,
  imagesPerCall: 1,
  options: {
    /** Without it nobody can tell whether a message is Replicate's, so none is read. */
    webhook_secret: secret({ expected: expectedSecret })
      .refine((value) => isSigningSecret(value.reveal()), { error: expectedSecret })
      .optional(),
  },
  create(
    { apiKey, baseUrl = defaultBaseUrl, timeoutMs, maxResponseBytes, options = {} },
    { http },
  ): Provider {
    const trusted = hasPrivateHost(baseUrl)
    const callOf = (
      path: string,
      signal: AbortSignal,
      withhold: readonly string[] = [],
    ): ProviderHttpCall => ({
      title,
      url: `${baseUrl}${path}`,
      // Only the own base URL is ever called: whatever address an answer names, the key stays here.
      headers: apiKey ? { authorization: `Bearer ${apiKey}` } : {},
      timeoutMs,
      maxResponseBytes,
      signal,
      withhold,
    })
    const { webhook_secret: signingSecret } = options
    return {
      id: 'replicate',
      inputs: { mediaTypes: inputMediaTypes },
      async start(request, signal) {
        const call = predictionCall(request, { title, trusted })
        if (!apiKey && baseUrl === defaultBaseUrl) throw missingKey(names)
        const withhold = secretsOf(request)
        const images = call.pictures?.images ?? []
        const uploaded = await uploadLarge(http, callOf('', signal, withhold), { images, names })
        const body = predictionBody(call, uploaded)
        const answer = await http.postJson({ ...callOf(call.path, signal, withhold), body })
        if (answer.status >= 400) throw submissionFailure(answer, names)
        return readCreated(answer, { names, n: request.n, trusted })
      },
      async check(operation, signal, withhold) {
        const call = callOf(pathOf(operation), signal, withhold)
        const answer = await http.getJson({ ...call, timeoutMs: Math.min(timeoutMs, longestQuestionMs) })
        if (answer.status >= 400) throw questionFailure(answer, names)
        const n = typeof operation.n === 'number' ? operation.n : 1
        return readChecked(answer, { names, n, trusted })
      },
      async cancel(operation, signal) {
        const call = callOf(`${pathOf(operation)}/cancel`, signal)
        const answer = await http.postJson({ ...call, body: undefined })
        if (answer.status >= 400) throw questionFailure(answer, names)
      },
      /** "Get the authenticated account" (https://replicate.com/docs/reference/http#account.get). */
      async checkKey(signal) {
        if (!apiKey && baseUrl === defaultBaseUrl) throw missingKey(names)
        await askAboutKey(http, { call: callOf('/account', signal) })
      },
      ...(signingSecret instanceof Secret
        ? { readWebhook: async (webhook) => readSignedMessage(webhook, signingSecret.reveal()) }
        : {}),
    }
  },
}

function pathOf({ id }: Operation): string {
  return `/predictions/${encodeURIComponent(id)}`
}
