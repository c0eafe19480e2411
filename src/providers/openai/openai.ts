/**
 * OpenAI's Images API, and the many servers that speak it. The official API and GPT Image models are one
 * dialect, servers that still take `response_format` the other. Nothing of a request is dropped here: a field
 * either goes on the wire or is refused by name.
 */
import { drawPictures, type ImagesApi, streamPictures } from '../images-api.ts'
import { type Dialect, dialectNames, findDialect, gptImage } from '../images-api-dialects.ts'
import { unknownDialect } from '../images-api-request.ts'
import { askAboutKey } from '../key-check.ts'
import { hasPrivateHost } from '../private-host.ts'
import type { Provider, ProviderDefinition, ProviderRequest } from '../provider.ts'
import { missingKey } from '../vendor-failure.ts'

const title = 'OpenAI'
const defaultBaseUrl = 'https://api.openai.com/v1'
const environment = { apiKey: 'OPENAI_API_KEY', baseUrl: 'OPENAI_BASE_URL' }
const names = { title, ...environment }

export const openai: ProviderDefinition = {
  id: 'openai',
  title,
  environment,
  defaultBaseUrl,
  dialects: dialectNames,
  create({ apiKey, baseUrl = defaultBaseUrl, timeoutMs, maxResponseBytes }, { http }): Provider {
    const address = (path: string) => {
      // Local servers need no key; without one the header stays away altogether.
      if (!apiKey && baseUrl === defaultBaseUrl) throw missingKey(names)
      const headers: Record<string, string> = apiKey ? { authorization: `Bearer ${apiKey}` } : {}
      return { url: `${baseUrl}${path}`, headers }
    }
    const trusted = hasPrivateHost(baseUrl)
    const api: ImagesApi = { names, timeoutMs, maxResponseBytes, trusted, http, address }
    return {
      id: 'openai',
      inputs: { mediaTypes: gptImage.inputs },
      start: async (request, signal) => drawPictures(api, request, dialectOf(request), signal),
      stream: async (request, watching, signal) =>
        streamPictures(api, request, dialectOf(request), { watching, signal }),
      /** "List models" (https://developers.openai.com/api/reference/resources/models/methods/list). */
      async checkKey(signal) {
        const call = { title, ...address('/models'), timeoutMs, maxResponseBytes, signal }
        await askAboutKey(http, { call })
      },
    }
  },
}

function dialectOf(request: ProviderRequest): Dialect {
  const dialect = findDialect(request)
  if (!dialect) throw unknownDialect(request.dialect, title)
  return dialect
}
