/**
 * A `ProviderRequest` as a prediction of Replicate: which model or version, and its input. What the model does not know is
 * refused by the caller's name, because Replicate would drop it in silence.
 */
import { asDataUri } from '../picture-text.ts'
import type { InputImage, ProviderRequest } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { checkPictures, sayFields, unsupported } from '../wire-fields.ts'
import { type Dialect, dialectNames, findDialect } from './replicate-dialects.ts'

/** What to create, and where below the base URL. */
export interface PredictionCall {
  path: string
  /** Beside `input`: the version where one is pinned, and the webhook. */
  frame: Readonly<Record<string, unknown>>
  /** Everything but the input pictures. */
  input: Readonly<Record<string, unknown>>
  /** The input pictures, and under which name they go into the input. */
  pictures: { name: string; isList: boolean; images: readonly InputImage[] } | undefined
}

/** Larger pictures are not put into the JSON: Replicate advises to upload them from 256 kB on. */
const largestInline = 256 * 1024

export function goesInline(image: InputImage): boolean {
  return image.sizeBytes <= largestInline
}

/**
 * Throws `ProviderError`: `unsupported_parameter` for what cannot be said, `internal_error` for a model that cannot be.
 * `trusted` is a server of one's own.
 */
export function predictionCall(
  request: ProviderRequest,
  { title, trusted }: { title: string; trusted: boolean },
): PredictionCall {
  const dialect = findDialect(request.dialect, request.model)
  if (!dialect) throw misconfigured(request, title)
  const address = addressOf(request.model)
  if (!address) throw misconfigured(request, title)
  const { pictures } = dialect
  return {
    path: address.path,
    frame: {
      ...('version' in address ? { version: address.version } : {}),
      ...webhookOf(request, trusted),
    },
    input: inputOf(request, dialect, title),
    pictures: pictures && {
      name: pictures.name,
      isList: pictures.isList ?? false,
      images: request.images ?? [],
    },
  }
}

/** Replicate refuses a prediction whole where the address of its webhook is not of `https`. */
function webhookOf({ webhookUrl }: ProviderRequest, trusted: boolean): Record<string, unknown> {
  if (!webhookUrl || !(trusted || /^https:/i.test(webhookUrl))) return {}
  return { webhook: webhookUrl, webhook_events_filter: ['completed'] }
}

/** The body of the call. `uploaded` are the addresses of the pictures that went ahead, by their position. */
export function predictionBody(
  { frame, input, pictures }: PredictionCall,
  uploaded: ReadonlyMap<number, string>,
): Record<string, unknown> {
  const said = (pictures?.images ?? []).map((image, index) => uploaded.get(index) ?? asDataUri(image))
  const named = pictures && said.length > 0 ? { [pictures.name]: pictures.isList ? said : said[0] } : {}
  return { ...frame, input: { ...input, ...named } }
}

function inputOf(request: ProviderRequest, dialect: Dialect, title: string): Record<string, unknown> {
  const { prompt, n, model, images = [] } = request
  const { count, pictures, fixed, fixedWithPictures, fields } = dialect
  checkPictures(request, { maxImages: pictures?.max ?? 0, minImages: pictures?.min }, title)
  const most = count?.max ?? 1
  if (n > most) throw unsupported('n', `${title} makes at most ${most} at once with ${model}`)
  if (request.size && request.aspectRatio) {
    throw unsupported('aspect_ratio', `${title} takes either a size or a ratio`)
  }
  if (request.strength !== undefined && images.length === 0) {
    throw unsupported('strength', `${title} needs an input picture with it`)
  }
  return {
    prompt,
    ...(count ? { [count.name]: n } : {}),
    ...fixed,
    ...(images.length > 0 ? fixedWithPictures?.(request) : {}),
    ...sayFields(request, fields, title),
  }
}

/** `owner/name` is an official model and always its newest version; a version is 64 hexadecimal digits. */
function addressOf(model: string): { path: string } | { path: string; version: string } | undefined {
  const [, version] = /^(?:[\w.-]+\/[\w.-]+:)?([0-9a-f]{64})$/.exec(model) ?? []
  if (version) return { path: '/predictions', version }
  return /^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(model) ? { path: `/models/${model}/predictions` } : undefined
}

function misconfigured({ model, dialect }: ProviderRequest, title: string): ProviderError {
  const message = addressOf(model)
    ? `${title} cannot tell which family ${model} belongs to: the operator says so by its dialect under models: in gesso.yaml, one of ${dialectNames.join(', ')}${dialect === undefined ? '' : `, and not ${dialect}`}.`
    : `${title} knows models as owner/name, owner/name:version or a version, not as ${JSON.stringify(model)}.`
  return new ProviderError({
    code: 'internal_error',
    attribution: 'platform',
    message,
    dispatched: 'no',
  })
}
