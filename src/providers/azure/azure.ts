/**
 * Azure OpenAI: GPT Image in deployments of one's own. The dialect is always that of GPT Image, whatever a deployment is
 * called, so `response_format` is never sent. (Microsoft's "Azure OpenAI image generation models", read 2026-11-20.)
 */
import { drawPictures, type ImagesApi, streamPictures } from '../images-api.ts'
import { type Dialect, gptImage, sayFormat } from '../images-api-dialects.ts'
import { unknownDialect } from '../images-api-request.ts'
import { askAboutKey } from '../key-check.ts'
import { hasPrivateHost } from '../private-host.ts'
import type { Provider, ProviderDefinition, ProviderRequest } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { missingKey } from '../vendor-failure.ts'
import { operationUrl, resourceOf } from './azure-address.ts'
import { azureOptions, azureSettings } from './azure-settings.ts'

const title = 'Azure OpenAI'
const environment = {
  apiKey: 'AZURE_OPENAI_API_KEY',
  baseUrl: 'AZURE_OPENAI_ENDPOINT',
  options: { api_version: 'OPENAI_API_VERSION' },
}
const names = { title, apiKey: environment.apiKey, baseUrl: environment.baseUrl }

const { size, quality, background, inputFidelity } = gptImage.fields

/**
 * GPT Image as Microsoft documents it: no WebP on either side, `user` for the end user, no `moderation` because a
 * deployment has content filters of its own. `output_compression` is documented there as the opposite of what OpenAI
 * means by it, so it is never said, and Gesso compresses the picture itself.
 */
const azureImage: Dialect = {
  fixed: gptImage.fixed,
  fields: {
    size,
    quality,
    background,
    inputFidelity,
    outputFormat: sayFormat(['png', 'jpeg']),
    safetyIdentifier: 'user',
  },
  inputs: ['image/png', 'image/jpeg'],
  maxImages: gptImage.maxImages,
  takesMarkup: false,
  onlyImage: 'image[]',
}

export const azure: ProviderDefinition = {
  id: 'azure',
  title,
  environment,
  options: azureOptions,
  create({ apiKey, baseUrl, timeoutMs, maxResponseBytes, options }, { http }): Provider {
    const { deployments, api_version: apiVersion } = azureSettings.parse(options ?? {})
    const named = new Map(Object.entries(deployments))
    const resource = baseUrl === undefined ? undefined : resourceOf(baseUrl)
    const api: ImagesApi = {
      names,
      timeoutMs,
      maxResponseBytes,
      trusted: resource !== undefined && hasPrivateHost(resource),
      http,
      address(path, { model: deployment }) {
        if (!apiKey) throw missingKey(names)
        if (!resource) throw missingEndpoint()
        const url = operationUrl(resource, { path, deployment, apiVersion })
        return { url, headers: { 'api-key': apiKey } }
      },
    }
    const deployed = (request: ProviderRequest): ProviderRequest => {
      const { dialect, model } = request
      if (dialect !== undefined && dialect !== 'gpt-image')
        throw unknownDialect(dialect, title, ['gpt-image'])
      return { ...request, model: named.get(model) ?? model }
    }
    return {
      id: 'azure',
      inputs: { mediaTypes: azureImage.inputs },
      start: async (request, signal) => drawPictures(api, deployed(request), azureImage, signal),
      stream: async (request, watching, signal) =>
        streamPictures(api, deployed(request), azureImage, { watching, signal }),
      async checkKey(signal) {
        if (!apiKey) throw missingKey(names)
        if (!resource) throw missingEndpoint()
        const url = modelsUrl(resource, apiVersion)
        const call = { title, url, headers: { 'api-key': apiKey }, timeoutMs, maxResponseBytes, signal }
        await askAboutKey(http, { call, advice: `A key belongs to one resource, here ${resource}.` })
      },
    }
  },
}

/**
 * The list of models, on the dated versions and on v1. (https://learn.microsoft.com/rest/api/azureopenai/models/list and
 * https://learn.microsoft.com/rest/api/microsoft-foundry/azureopenai/models, read 2026-11-21.)
 */
function modelsUrl(resource: string, apiVersion: string | undefined): string {
  const version = apiVersion === undefined ? '' : `?api-version=${apiVersion}`
  const isDated = apiVersion !== undefined && /^\d/.test(apiVersion)
  return `${resource}/openai${isDated ? '' : '/v1'}/models${version}`
}

function missingEndpoint(): ProviderError {
  return new ProviderError({
    code: 'provider_not_configured',
    attribution: 'platform',
    message: `${title} has no address: set ${environment.baseUrl}.`,
    dispatched: 'no',
  })
}
