/**
 * A `ProviderRequest` in DashScope's words: `{model, input, parameters}` for one of its protocols. What the model cannot
 * say is refused by name, so that nothing of a request is lost on the way.
 */
import { asDataUri } from '../picture-text.ts'
import type { InputImage, InputMediaType, ProviderRequest } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { checkPictures, sayFields, unsupported } from '../wire-fields.ts'
import { type Dialect, dialectNames, dialects, type Family, findFamily } from './dashscope-dialects.ts'

/** Media types of input pictures that every model takes. */
export const inputMediaTypes: readonly InputMediaType[] = ['image/png', 'image/jpeg', 'image/webp']

/** What to send, and where. */
export interface ImageCall {
  dialect: Dialect
  body: Record<string, unknown>
  /** How many pictures must come, and how many may. */
  owed: number
  atMost: number
}

/**
 * The call that serves the request. Throws `ProviderError`: `unsupported_parameter` for what cannot be said,
 * `unsupported_image` for a picture that the model does not take.
 */
export function imageCall(request: ProviderRequest, title: string): ImageCall {
  const family = findFamily(request.dialect, request.model)
  if (!family) throw unknownDialect(request.dialect, title)
  const { model, n, series, images = [], mask } = request
  if (mask) throw unsupported('mask', `${title} takes none with ${model}`)
  checkPictures(request, { minImages: family.images.min, maxImages: family.images.max }, title)
  for (const image of images) checkPicture(image, family, title)
  const said = {
    ...(family.saysCount ? { n } : {}),
    ...family.fixed,
    ...sayFields(request, family.fields, title),
  }
  const dialect = dialects[family.dialect]
  const { negative_prompt, ...others } = said as Record<string, unknown>
  const besides = negative_prompt === undefined ? {} : { negative_prompt }
  const body =
    dialect.input === 'message'
      ? { model, input: messageInput(request), parameters: { ...others, ...besides } }
      : { model, input: { ...promptInput(request), ...besides }, parameters: others }
  const atMost = series && typeof others.n === 'number' ? others.n : n
  return { dialect, body, owed: series ? 1 : n, atMost }
}

/** One message of one turn: the pictures in their order, and one text about them. */
function messageInput({ prompt, images = [] }: ProviderRequest) {
  const content = [...images.map((image) => ({ image: asDataUri(image) })), { text: prompt }]
  return { messages: [{ role: 'user', content }] }
}

function promptInput({ prompt, images = [] }: ProviderRequest) {
  return { prompt, ...(images.length > 0 ? { images: images.map(asDataUri) } : {}) }
}

function checkPicture({ mediaType, sizeBytes }: InputImage, { maxImageBytes }: Family, title: string): void {
  if (!inputMediaTypes.includes(mediaType))
    throw unsupportedImage(`image is ${mediaType}, but ${title} takes ${inputMediaTypes.join(', ')}.`)
  if (sizeBytes > maxImageBytes)
    throw unsupportedImage(
      `image has ${sizeBytes} bytes, but ${title} takes pictures of ${maxImageBytes} bytes at most here.`,
    )
}

function unsupportedImage(message: string): ProviderError {
  return new ProviderError({
    code: 'unsupported_image',
    attribution: 'client',
    message,
    param: 'image',
    dispatched: 'no',
  })
}

function unknownDialect(name: string | undefined, title: string): ProviderError {
  return new ProviderError({
    code: 'internal_error',
    attribution: 'platform',
    message: `${title} has no dialect "${name}"; there are ${dialectNames.join(', ')}.`,
    dispatched: 'no',
  })
}
