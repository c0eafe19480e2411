/**
 * A `ProviderRequest` in the words of the Images API: JSON for a generation, a form for an edit. What the dialect
 * cannot say is refused by name, so that nothing of a request is lost on the way.
 */
import type { FormPart } from '../form-body.ts'
import type { InputImage, InputMediaType, ProviderRequest } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { callersNames, type Dialect, dialectNames, type Field, findDialect } from './openai-dialects.ts'

/** What to send, and where below the base URL. */
export type ImageCall =
  | { path: '/images/generations'; body: Record<string, unknown> }
  | { path: '/images/edits'; parts: FormPart[] }

/** Endings of the media types that go out as they are. */
const fileEndings: Partial<Record<InputMediaType, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
}

/** Media types of input pictures that the API takes. */
export const inputMediaTypes = Object.keys(fileEndings) as InputMediaType[]

/**
 * The call that serves the request. Throws `ProviderError`: `unsupported_parameter` for what cannot be said,
 * `unsupported_image` for a picture that the API does not take.
 */
export function imageCall(request: ProviderRequest, title: string): ImageCall {
  const dialect = findDialect(request.dialect, request.model)
  if (!dialect) throw unknownDialect(request.dialect, title)
  const { images = [], mask } = request
  const isEdit = images.length > 0
  const fields = wireFields(request, dialect, { isEdit, title })
  if (isEdit)
    return { path: '/images/edits', parts: [...pictureParts(images, mask, title), ...texts(fields)] }
  if (mask) throw unsupported('mask', `${title} needs an input picture with it`)
  return { path: '/images/generations', body: fields }
}

function wireFields(
  request: ProviderRequest,
  dialect: Dialect,
  { isEdit, title }: { isEdit: boolean; title: string },
): Record<string, unknown> {
  const { taskId: _, model, prompt, n, size, dialect: __, images: ___, mask: ____, ...optional } = request
  const fields: Record<string, unknown> = { model, prompt, n, ...dialect.fixed }
  if (size) fields.size = `${size.width}x${size.height}`
  else if (dialect.autoSize) fields.size = dialect.autoSize
  for (const [name, value] of Object.entries(optional)) {
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue
    const field = name as Field
    const wireName = dialect.fields[field]
    const param = callersNames[field] ?? name
    if (!wireName) throw unsupported(param, `${title} cannot do this with ${model}`)
    if (!isEdit && dialect.editFields.includes(field)) {
      throw unsupported(param, `${title} takes it with an input picture only`)
    }
    if (field === 'series') Object.assign(fields, seriesFields(wireName, request.series?.maxImages))
    else fields[wireName] = value
  }
  const { outputFormats } = dialect
  if (outputFormats && request.outputFormat && !outputFormats.includes(request.outputFormat)) {
    const made = outputFormats.join(', ')
    throw unsupported('output_format', `${title} makes ${made}, not ${request.outputFormat}`)
  }
  return fields
}

/** One word of the seam is two on the wire: that it is a series, and how long it may be. */
function seriesFields(wireName: string, maxImages: number | undefined): Record<string, unknown> {
  const options = maxImages === undefined ? {} : { [`${wireName}_options`]: { max_images: maxImages } }
  return { [wireName]: 'auto', ...options }
}

/** One picture is `image`, several are `image[]`: OpenAI refuses a name that comes twice. */
function pictureParts(
  images: readonly InputImage[],
  mask: InputImage | undefined,
  title: string,
): FormPart[] {
  const name = images.length === 1 ? 'image' : 'image[]'
  const parts = images.map((image) => picturePart(name, 'image', image, title))
  if (mask && mask.mediaType !== 'image/png')
    throw unsupportedImage('mask', mask.mediaType, 'image/png', title)
  return mask ? [...parts, picturePart('mask', 'mask', mask, title)] : parts
}

function picturePart(name: string, param: string, picture: InputImage, title: string): FormPart {
  const { mediaType, sizeBytes } = picture
  const ending = fileEndings[mediaType]
  if (!ending) throw unsupportedImage(param, mediaType, inputMediaTypes.join(', '), title)
  const stream = () => picture.stream()
  return { name, filename: `${param}.${ending}`, contentType: mediaType, sizeBytes, stream }
}

/** In a form a list is a name that repeats, and what has names of its own is JSON. */
function texts(fields: Record<string, unknown>): FormPart[] {
  const text = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value))
  return Object.entries(fields).flatMap(([name, value]) =>
    Array.isArray(value)
      ? value.map((one) => ({ name: `${name}[]`, value: text(one) }))
      : [{ name, value: text(value) }],
  )
}

function unsupported(param: string, reason: string): ProviderError {
  return new ProviderError({
    code: 'unsupported_parameter',
    attribution: 'client',
    message: `${param} is not supported here: ${reason}.`,
    param,
    dispatched: 'no',
  })
}

function unsupportedImage(param: string, mediaType: string, allowed: string, title: string): ProviderError {
  return new ProviderError({
    code: 'unsupported_image',
    attribution: 'client',
    message: `${param} is ${mediaType}, but ${title} takes ${allowed}.`,
    param,
    dispatched: 'no',
  })
}

function unknownDialect(name: string | undefined, title: string): ProviderError {
  return new ProviderError({
    code: 'internal_error',
    attribution: 'platform',
    message: `${title} has no dialect "${name}"; there are ${dialectNames.join(' and ')}.`,
    dispatched: 'no',
  })
}
