/**
 * OpenAI's Images API, and the many servers that speak it. The official API and GPT Image models are one
 * dialect, servers that still take `response_format` the other. Nothing of a request is dropped here: a field
 * either goes on the wire or is refused by name.
 */
import type { ProviderHttpCall } from '../http.ts'
import { hasPrivateHost } from '../private-host.ts'
import type { Provider, ProviderDefinition, ProviderRequest } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { openaiFailure } from './openai-failure.ts'
import { readReply } from './openai-reply.ts'
import { imageCall, inputMediaTypes } from './openai-request.ts'

const title = 'OpenAI'
const defaultBaseUrl = 'https://api.openai.com/v1'
/** The most pictures that a series of Seedream, whose words these are, may have. */
const longestSeries = 15
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
      inputs: { mediaTypes: inputMediaTypes },
      async start(request, signal) {
        const call = imageCall(request, title)
        // Local servers need no key; without one the header stays away altogether.
        if (!apiKey && baseUrl === defaultBaseUrl) throw missingKey()
        const frame: ProviderHttpCall = {
          title,
          url: `${baseUrl}${call.path}`,
          headers: apiKey ? { authorization: `Bearer ${apiKey}` } : {},
          timeoutMs,
          maxResponseBytes,
          signal,
          withhold: secretsOf(request),
        }
        const answer =
          call.path === '/images/edits'
            ? await http.postForm({ ...frame, parts: call.parts })
            : await http.postJson({ ...frame, body: call.body })
        const names = { title, ...environment }
        if (answer.status >= 400) throw openaiFailure(answer, names)
        const { n, series } = request
        const atMost = series ? Math.max(n, series.maxImages ?? longestSeries) : n
        return readReply(answer, {
          names,
          n,
          atMost,
          trusted,
        })
      },
    }
  },
}

/** What an answer may not repeat. The address of weights can hold a token; their plain name helps to understand. */
function secretsOf(request: ProviderRequest): string[] {
  const {
    prompt,
    negativePrompt = '',
    safetyIdentifier = '',
    loraWeights = '',
    extraLoraWeights = [],
  } = request
  const addresses = [loraWeights, ...extraLoraWeights].filter((weights) => /^https?:/i.test(weights))
  return [prompt, negativePrompt, safetyIdentifier, ...addresses]
}

function missingKey(): ProviderError {
  return new ProviderError({
    code: 'provider_not_configured',
    attribution: 'platform',
    message: `${title} has no key: set ${environment.apiKey}.`,
    dispatched: 'no',
  })
}
