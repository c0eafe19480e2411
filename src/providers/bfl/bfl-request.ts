/**
 * A `ProviderRequest` as a body for one of the endpoints of Black Forest Labs: every model has its own, and the model is
 * its path. What the endpoint cannot be told is refused by name.
 */
import { asBase64 } from '../picture-text.ts'
import type { ProviderRequest } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { checkPictures, sayFields, unsupported } from '../wire-fields.ts'
import { type Dialect, dialectNames, findDialect, title } from './bfl-dialects.ts'

export interface Submission {
  /** Below the base URL. */
  path: string
  body: Record<string, unknown>
}

/** The call that serves the request. Throws `ProviderError`, with `unsupported_parameter` for what cannot be said. */
export function submission(request: ProviderRequest): Submission {
  const dialect = findDialect(request.dialect, request.model)
  if (!dialect) throw unknownDialect(request.dialect)
  const { model, n, prompt } = request
  if (n !== 1) throw unsupported('n', `${title} makes one picture per call`)
  const { max, min } = dialect.pictures
  checkPictures(request, { maxImages: max, minImages: min, mask: dialect.mask }, title)
  return {
    path: `/${model.split('/').map(encodeURIComponent).join('/')}`,
    body: {
      prompt,
      ...dialect.fixed,
      ...sayFields(request, dialect.fields, title),
      ...pictures(request, dialect),
    },
  }
}

/** Bare base64, under `name`, `name_2`, `name_3`, …; a mask is an opaque picture, white where something may change. */
function pictures({ images = [], mask }: ProviderRequest, { pictures: { name } }: Dialect) {
  const numbered = images.map((image, index) => [
    index === 0 ? name : `${name}_${index + 1}`,
    asBase64(image),
  ])
  return { ...Object.fromEntries(numbered), ...(mask ? { mask: asBase64(mask) } : {}) }
}

function unknownDialect(name: string | undefined): ProviderError {
  return new ProviderError({
    code: 'internal_error',
    attribution: 'platform',
    message: `${title} has no dialect "${name}"; there are ${dialectNames.join(', ')}.`,
    dispatched: 'no',
  })
}
