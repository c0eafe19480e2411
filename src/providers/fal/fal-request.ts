/** A `ProviderRequest` in the words of the fal endpoint that serves it. What cannot be said is refused by name. */
import { asDataUri } from '../picture-text.ts'
import type { ProviderRequest } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { checkPictures, sayFields, unsupported } from '../wire-fields.ts'
import { type Dialect, dialectNames, findDialect } from './fal-dialects.ts'

/** What to send, and to which endpoint, such as `fal-ai/flux/dev`. */
export interface FalCall {
  endpoint: string
  body: Record<string, unknown>
}

/** Throws `ProviderError`: `unsupported_parameter` for what cannot be said, `internal_error` for an unknown dialect. */
export function falCall(request: ProviderRequest, title: string): FalCall {
  const dialect = findDialect(request.dialect, request.model)
  if (!dialect) throw unknownDialect(request.dialect, title)
  const { images = [], mask, model, prompt, n } = request
  const { minImages, maxImages, maxPerCall, fields, editFields = fields } = dialect
  checkPictures(request, { minImages, maxImages, mask: dialect.mask ?? 'never' }, title)
  if (n > maxPerCall) throw unsupported('n', `${title} makes at most ${maxPerCall} with one call of ${model}`)
  return {
    endpoint: endpointOf(model, dialect.suffix?.(images.length) ?? ''),
    body: {
      prompt,
      ...(maxPerCall > 1 ? { num_images: n } : {}),
      ...pictures(request, dialect),
      ...(mask ? { mask_url: asDataUri(mask) } : {}),
      ...dialect.fixed,
      ...sayFields(request, images.length > 0 ? editFields : fields, title),
    },
  }
}

function pictures({ images = [] }: ProviderRequest, { listsImages }: Dialect): Record<string, unknown> {
  const [first] = images
  if (!first) return {}
  return listsImages || images.length > 1
    ? { image_urls: images.map(asDataUri) }
    : { image_url: asDataUri(first) }
}

/** A model of the operator's own may be named by the very endpoint. */
function endpointOf(model: string, suffix: string): string {
  return model.endsWith(suffix) ? model : `${model}${suffix}`
}

function unknownDialect(name: string | undefined, title: string): ProviderError {
  return new ProviderError({
    code: 'internal_error',
    attribution: 'platform',
    message: `${title} has no dialect "${name}"; there are ${dialectNames.join(', ')}.`,
    dispatched: 'no',
  })
}
