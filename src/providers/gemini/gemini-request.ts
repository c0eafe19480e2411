/**
 * A `ProviderRequest` in the words of `models.generateContent` (Gemini API reference, read 2026-11-20). What the model
 * cannot be told is refused by name, so that nothing of a request is lost on the way.
 */
import { asBase64 } from '../picture-text.ts'
import type { InputMediaType, ProviderRequest } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { checkPictures, sayFields, unsupported } from '../wire-fields.ts'
import { dialectNames, findDialect, tableOf } from './gemini-dialects.ts'

/** Media types of input pictures that Gemini reads. */
export const inputMediaTypes: readonly InputMediaType[] = ['image/png', 'image/jpeg', 'image/webp']

/** Where below the base URL the model is asked. Tuned models bring their own collection. */
export function requestPath(model: string): string {
  const path = model.includes('/') ? model : `models/${model}`
  return `/${path.split('/').map(encodeURIComponent).join('/')}:generateContent`
}

/** The body that serves the request. Throws `ProviderError` (`unsupported_parameter`) for what cannot be said. */
export function requestBody(request: ProviderRequest, title: string): Record<string, unknown> {
  const dialect = findDialect(request.dialect, request.model)
  if (!dialect) throw unknownDialect(request.dialect, title)
  const said = sayFields(request, tableOf(dialect, title), title)
  checkPictures(request, { maxImages: dialect.maxImages }, title)
  if (request.n !== 1) throw unsupported('n', `${title} makes one picture per call`)
  const { aspectRatio, imageSize = '1K', seed, safetySettings } = said
  const imageConfig = {
    ...(aspectRatio === undefined ? {} : { aspectRatio }),
    // The price hangs on it, so it is never left to a default.
    ...(dialect.imageSizes ? { imageSize } : {}),
  }
  return {
    contents: [{ role: 'user', parts: [{ text: request.prompt }, ...pictureParts(request)] }],
    generationConfig: {
      responseModalities: ['IMAGE'],
      ...(Object.keys(imageConfig).length > 0 ? { imageConfig } : {}),
      ...(seed === undefined ? {} : { seed }),
    },
    ...(safetySettings === undefined ? {} : { safetySettings }),
  }
}

function pictureParts({ images = [] }: ProviderRequest) {
  return images.map((image) => ({ inlineData: { mimeType: image.mediaType, data: asBase64(image) } }))
}

function unknownDialect(name: string | undefined, title: string): ProviderError {
  return new ProviderError({
    code: 'internal_error',
    attribution: 'platform',
    message: `${title} has no dialect "${name}"; there are ${dialectNames.join(', ')}.`,
    dispatched: 'no',
  })
}
