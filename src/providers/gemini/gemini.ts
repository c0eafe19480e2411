/**
 * Google Gemini's image models, through `generateContent`: one call, one picture, in the answer itself. Nothing of a
 * request is dropped here: a field either goes on the wire or is refused by name.
 */
import type { Provider, ProviderDefinition } from '../provider.ts'
import { secretsOf } from '../request-secrets.ts'
import { missingKey } from '../vendor-failure.ts'
import { dialectNames } from './gemini-dialects.ts'
import { geminiFailure } from './gemini-failure.ts'
import { readReply } from './gemini-reply.ts'
import { inputMediaTypes, requestBody, requestPath } from './gemini-request.ts'

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
    return {
      id: 'gemini',
      inputs: { mediaTypes: inputMediaTypes },
      async start(request, signal) {
        const body = requestBody(request, title)
        if (!apiKey && baseUrl === defaultBaseUrl) throw missingKey(names)
        const answer = await http.postJson({
          title,
          url: `${baseUrl}${requestPath(request.model)}`,
          // Google also takes the key in the query, where it would end up in logs.
          headers: apiKey ? { 'x-goog-api-key': apiKey } : {},
          timeoutMs,
          maxResponseBytes,
          signal,
          withhold: secretsOf(request),
          body,
        })
        if (answer.status >= 400) throw geminiFailure(answer, names)
        return readReply(answer, names)
      },
    }
  },
}
