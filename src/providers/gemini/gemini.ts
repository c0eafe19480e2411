/**
 * Google Gemini's image models, through `generateContent`: one call, one picture, in the answer itself. Nothing of a
 * request is dropped here: a field either goes on the wire or is refused by name.
 */
import type { ProviderHttpAnswer } from '../http.ts'
import { askAboutKey } from '../key-check.ts'
import type { Provider, ProviderDefinition } from '../provider.ts'
import { secretsOf } from '../request-secrets.ts'
import { missingKey } from '../vendor-failure.ts'
import { dialectNames } from './gemini-dialects.ts'
import { geminiFailure } from './gemini-failure.ts'
import { readReply } from './gemini-reply.ts'
import { inputMediaTypes, requestBody, requestPath } from './gemini-request.ts'
import { wireFailure } from './gemini-schema.ts'

const title = 'Google Gemini'
const defaultBaseUrl = 'https://generativelanguage.googleapis.com/v1beta'
const environment = { apiKey: 'GEMINI_API_KEY', baseUrl: 'GEMINI_BASE_URL' }
const names = { title, ...environment }

export const gemini: ProviderDefinition = {
  id: 'gemini',
  title,
  environment,
  defaultBaseUrl,
  dialects: dialectNames,
  imagesPerCall: 1,
  create({ apiKey, baseUrl = defaultBaseUrl, timeoutMs, maxResponseBytes }, { http }): Provider {
    const callTo = (path: string, signal: AbortSignal) => {
      if (!apiKey && baseUrl === defaultBaseUrl) throw missingKey(names)
      // Google also takes the key in the query, where it would end up in logs.
      const headers: Record<string, string> = apiKey ? { 'x-goog-api-key': apiKey } : {}
      return { title, url: `${baseUrl}${path}`, headers, timeoutMs, maxResponseBytes, signal }
    }
    return {
      id: 'gemini',
      inputs: { mediaTypes: inputMediaTypes },
      async start(request, signal) {
        const body = requestBody(request, title)
        const call = callTo(requestPath(request.model), signal)
        const answer = await http.postJson({ ...call, withhold: secretsOf(request), body })
        if (answer.status >= 400) throw geminiFailure(answer, names)
        return readReply(answer, names)
      },
      /** "Method: models.list" (https://ai.google.dev/api/rest/v1beta/models/list, read 2026-11-21). */
      async checkKey(signal) {
        await askAboutKey(http, { call: callTo('/models?pageSize=1', signal), isRefusal: isBadKey })
      },
    }
  },
}

/** A wrong key is a 400 here. */
function isBadKey({ status, json }: ProviderHttpAnswer): boolean {
  const { error } = wireFailure.safeParse(json).data ?? {}
  return status === 400 && (error?.details ?? []).some(({ reason = '' }) => reason.startsWith('API_KEY_'))
}
