/**
 * OpenAI's Images API, and the many servers that speak it. The official API and GPT Image models are one
 * dialect, servers that still take `response_format` the other. Nothing of a request is dropped here: a field
 * either goes on the wire or is refused by name.
 */
import { hasPrivateHost } from '../private-host.ts'
import type { Provider, ProviderDefinition } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { openaiFailure } from './openai-failure.ts'
import { readReply } from './openai-reply.ts'
import { generationBody } from './openai-request.ts'

const title = 'OpenAI'
const defaultBaseUrl = 'https://api.openai.com/v1'
const environment = { apiKey: 'OPENAI_API_KEY', baseUrl: 'OPENAI_BASE_URL' }

export const openai: ProviderDefinition = {
  id: 'openai',
  title,
  environment,
  defaultBaseUrl,
  create({ apiKey, baseUrl = defaultBaseUrl, timeoutMs, maxResponseBytes }, { http }): Provider {
    const trusted = hasPrivateHost(baseUrl)
    return {
      id: 'openai',
      async start(request, signal) {
        const body = generationBody(request, title)
        // Local servers need no key; without one the header stays away altogether.
        if (!apiKey && baseUrl === defaultBaseUrl) throw missingKey()
        const answer = await http.postJson({
          title,
          url: `${baseUrl}/images/generations`,
          headers: apiKey ? { authorization: `Bearer ${apiKey}` } : {},
          body,
          timeoutMs,
          maxResponseBytes,
          signal,
          withhold: [request.prompt, request.negativePrompt ?? '', request.safetyIdentifier ?? ''],
        })
        const names = { title, ...environment }
        if (answer.status >= 400) throw openaiFailure(answer, names)
        return readReply(answer, { names, n: request.n, trusted })
      },
    }
  },
}

function missingKey(): ProviderError {
  return new ProviderError({
    code: 'provider_not_configured',
    attribution: 'platform',
    message: `${title} has no key: set ${environment.apiKey}.`,
    dispatched: 'no',
  })
}
