/** Which words of a request stay between Gesso and the vendor. */
import type { ProviderRequest } from './provider.ts'

/**
 * What no answer may repeat in an excerpt: the words of the request. The address of weights or of a webhook can hold a
 * token; the plain name of weights helps to understand.
 */
export function secretsOf(request: ProviderRequest): string[] {
  const { prompt, negativePrompt = '', safetyIdentifier = '', webhookUrl = '' } = request
  const weights = [request.loraWeights ?? '', ...(request.extraLoraWeights ?? [])]
  const addresses = weights.filter((one) => /^https?:/i.test(one))
  return [prompt, negativePrompt, safetyIdentifier, webhookUrl, ...addresses]
}
