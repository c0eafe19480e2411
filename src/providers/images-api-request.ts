/**
 * A `ProviderRequest` in the words of the Images API: JSON for a generation, a form for an edit. What the dialect cannot
 * say is refused by name, so that nothing of a request is lost on the way.
 */
import type { FormPart } from './form-body.ts'
import { type Dialect, dialectNames } from './images-api-dialects.ts'
import type { InputImage, InputMediaType, ProviderRequest } from './provider.ts'
import { ProviderError } from './provider-error.ts'
import { checkPictures, sayFields } from './wire-fields.ts'

/** What to send, and where below the base URL. */
export type ImageCall =
  | { path: '/images/generations'; body: Record<string, unknown> }
  | { path: '/images/edits'; parts: FormPart[] }

const fileEndings: Readonly<Record<InputMediaType, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
  'image/gif': 'gif',
  'image/avif': 'avif',
}

/**
 * The call that serves the request; `more` goes beside what the request says. Throws `ProviderError`:
 * `unsupported_parameter` for what cannot be said, `unsupported_image` for a picture that the API does not take.
 */
export function imageCall(
  request: ProviderRequest,
  { title, dialect, more = {} }: { title: string; dialect: Dialect; more?: Record<string, unknown> },
): ImageCall {
  const { model, prompt, n, images = [], mask, markup } = request
  const { maxImages, takesMarkup } = dialect
  checkPictures(request, { maxImages, mask: 'optional', takesMarkup }, title)
  const said = sayFields(request, dialect.fields, title)
  const fields = { model, prompt, n, ...dialect.fixed, ...said, ...more }
  if (images.length === 0) return { path: '/images/generations', body: fields }
  const name = images.length === 1 ? dialect.onlyImage : 'image[]'
  const parts = images.map((image) =>
    picturePart(name, image, { title, param: 'image', taken: dialect.inputs }),
  )
  if (mask) parts.push(picturePart('mask', mask, { title, param: 'mask', taken: ['image/png'] }))
  if (markup) parts.push(picturePart('markup', markup, { title, param: 'markup', taken: ['image/png'] }))
  return { path: '/images/edits', parts: [...parts, ...texts(fields)] }
}

/** A dialect that nobody knows here: the fault of who wrote the route. */
export function unknownDialect(
  name: string | undefined,
  title: string,
  known: readonly string[] = dialectNames,
): ProviderError {
  return new ProviderError({
    code: 'internal_error',
    attribution: 'platform',
    message: `${title} has no dialect "${name}"; there is ${known.join(' and ')}.`,
    dispatched: 'no',
  })
}

function picturePart(
  name: string,
  picture: InputImage,
  { title, param, taken }: { title: string; param: string; taken: readonly InputMediaType[] },
): FormPart {
  const { mediaType, sizeBytes } = picture
  if (!taken.includes(mediaType)) {
    throw new ProviderError({
      code: 'unsupported_image',
      attribution: 'client',
      message: `${param} is ${mediaType}, but ${title} takes ${taken.join(', ')}.`,
      param,
      dispatched: 'no',
    })
  }
  const filename = `${param}.${fileEndings[mediaType]}`
  return { name, filename, contentType: mediaType, sizeBytes, stream: () => picture.stream() }
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
