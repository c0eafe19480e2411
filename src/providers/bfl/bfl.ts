/**
 * Black Forest Labs, the makers of FLUX: one endpoint per model, one picture per call, and work that is asked for until
 * it is done. The result is a signed address that lives ten minutes. It cannot be told to stop.
 */
import type { ProviderHttpCall } from '../http.ts'
import { askAboutKey } from '../key-check.ts'
import { hasPrivateHost } from '../private-host.ts'
import type { Provider, ProviderDefinition } from '../provider.ts'
import { secretsOf } from '../request-secrets.ts'
import { missingKey, vendorFailure } from '../vendor-failure.ts'
import { dialectNames, title } from './bfl-dialects.ts'
import { failureWords, refusalWords } from './bfl-failure.ts'
import { builtPollingUrl, ownPollingUrl } from './bfl-polling.ts'
import { readAccepted, readResult } from './bfl-reply.ts'
import { submission } from './bfl-request.ts'
import { operationNote } from './bfl-schema.ts'
import { readMessage, webhookSecret } from './bfl-webhook.ts'

const environment = { apiKey: 'BFL_API_KEY', baseUrl: 'BFL_BASE_URL' }
const defaultBaseUrl = 'https://api.bfl.ai/v1'
const names = { title, ...environment }
/** A question that takes longer than this is better asked again. */
const longestQuestionMs = 30_000

export const bfl: ProviderDefinition = {
  id: 'bfl',
  title,
  environment,
  defaultBaseUrl,
  dialects: dialectNames,
  imagesPerCall: 1,
  create({ apiKey, baseUrl = defaultBaseUrl, timeoutMs, maxResponseBytes }, { http }): Provider {
    const trusted = hasPrivateHost(baseUrl)
    const credential = () => {
      if (!apiKey) throw missingKey(names)
      return apiKey
    }
    const callTo = (url: string): ProviderHttpCall => ({
      title,
      url,
      headers: { 'x-key': credential() },
      timeoutMs,
      maxResponseBytes,
    })
    return {
      id: 'bfl',
      inputs: { mediaTypes: ['image/png', 'image/jpeg', 'image/webp'], maxEdge: 4_096, mask: 'white' },
      async start(request, signal) {
        const { path, body } = submission(request)
        const secret = webhookSecret(credential())
        const { webhookUrl } = request
        const webhook = webhookUrl ? { webhook_url: webhookUrl, webhook_secret: secret } : {}
        const withhold = [...secretsOf(request), secret]
        const call = { ...callTo(`${baseUrl}${path}`), signal, withhold }
        const answer = await http.postJson({ ...call, body: { ...body, ...webhook } })
        const { status, json } = answer
        const isAboutRequest = status === 400 || status === 422
        if (status >= 400)
          throw vendorFailure(answer, names, isAboutRequest ? refusalWords(json) : failureWords(json))
        return readAccepted(answer, names, baseUrl)
      },
      async check(operation, signal, withhold = []) {
        const { id, pollingUrl } = operationNote.parse(operation)
        const url = ownPollingUrl(pollingUrl, baseUrl) ?? builtPollingUrl(id, baseUrl)
        const call = { ...callTo(url), timeoutMs: Math.min(timeoutMs, longestQuestionMs) }
        const answer = await http.getJson({ ...call, signal, withhold })
        return readResult(answer, operation, { names, trusted })
      },
      async readWebhook(webhook) {
        return readMessage(webhook, credential())
      },
      /** "Get the user's credits" (https://docs.bfl.ai/api-reference/get-the-users-credits, read 2026-11-21). */
      async checkKey(signal) {
        await askAboutKey(http, { call: { ...callTo(`${baseUrl}/credits`), signal } })
      },
    }
  },
}
