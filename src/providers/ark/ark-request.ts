/**
 * A `ProviderRequest` in the words of Ark's image API. A generation and an edit are one call, with or without `image`.
 *
 * Pictures come inside the answer, so that nothing expires on the way. Only a series that nobody watches comes as
 * addresses: fifteen pictures of sixteen megapixels in one answer can exceed what Gesso takes of it, and all would be
 * lost.
 */
import { asDataUri, type PictureText } from '../picture-text.ts'
import type { InputImage, InputMediaType, ProviderRequest } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { checkPictures, sayFields, unsupported } from '../wire-fields.ts'
import { type Dialect, dialectNames, findDialect, wireModel } from './ark-dialects.ts'
import { title } from './ark-names.ts'

/** Media types that every generation takes. */
export const inputMediaTypes: readonly InputMediaType[] = ['image/png', 'image/jpeg']

/** A square of this edge is the largest input picture. */
export const maxInputEdge = 6_000

const maxInputBytes = 30 * 1024 * 1024

/** Throws `ProviderError`, as nothing can be said in a dialect that does not exist. */
export function dialectFor(request: ProviderRequest): Dialect {
  const dialect = findDialect(request.dialect, request.model)
  if (dialect) return dialect
  throw new ProviderError({
    code: 'internal_error',
    attribution: 'platform',
    message: `${title} has no dialect "${request.dialect}"; there are ${dialectNames.join(', ')}.`,
    dispatched: 'no',
  })
}

/**
 * The body of the call. Throws `ProviderError`: `unsupported_parameter` for what cannot be said, `unsupported_image` for
 * an input picture that Ark does not take.
 */
export function imageBody(
  request: ProviderRequest,
  { baseUrl, isWatched }: { baseUrl: string; isWatched: boolean },
): Record<string, unknown> {
  const dialect = dialectFor(request)
  const { model, prompt, n, images = [], series } = request
  if (n !== 1) throw unsupported('n', `${title} makes one picture per call`)
  checkPictures(request, { maxImages: dialect.maxImages }, title)
  for (const image of images) checkImage(image)
  return {
    model: wireModel(model, baseUrl),
    prompt,
    ...imageField(images),
    response_format: series && !isWatched ? 'url' : 'b64_json',
    // Ark labels its pictures unless it is told not to.
    watermark: false,
    ...(dialect.makesSeries && { sequential_image_generation: 'disabled' }),
    ...sayFields(request, dialect.table, title),
    ...(isWatched && { stream: true }),
  }
}

function imageField(images: readonly InputImage[]): { image?: PictureText | PictureText[] } {
  const [first, ...others] = images.map(asDataUri)
  if (!first) return {}
  return { image: others.length > 0 ? [first, ...others] : first }
}

function checkImage({ mediaType, sizeBytes }: InputImage): void {
  const taken = inputMediaTypes.includes(mediaType)
  if (taken && sizeBytes <= maxInputBytes) return
  const message = taken
    ? `image has ${sizeBytes} bytes, but ${title} takes at most ${maxInputBytes}.`
    : `image is ${mediaType}, but ${title} takes ${inputMediaTypes.join(', ')}.`
  throw new ProviderError({
    code: 'unsupported_image',
    attribution: 'client',
    message,
    param: 'image',
    dispatched: 'no',
  })
}
