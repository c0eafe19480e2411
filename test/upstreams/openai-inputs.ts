/** The pictures that come with an edit: where they stand in a request, and what OpenAI demands of them. */
import type { RecordedRequest } from './fake-upstream.ts'
import { OpenAiRefusal, refuse } from './openai-refusal.ts'
import { RecordedFile } from './recorded-file.ts'

export interface Inputs {
  images: RecordedFile[]
  mask?: RecordedFile
  markup?: RecordedFile
}

const megabyte = 1024 * 1024
const longestDataUri = 20_971_520

/** Takes pictures wherever lenient servers look for them: files and data URIs, one or many, bare or in objects. */
export function readLenientInputs(body: Record<string, unknown>): Inputs {
  const pictures = (value: unknown): RecordedFile[] => {
    if (value instanceof RecordedFile) return [value]
    if (Array.isArray(value)) return value.flatMap(pictures)
    if (typeof value !== 'object' || value === null) return []
    return ['image_url', 'url'].flatMap((name) => pictures((value as Record<string, unknown>)[name]))
  }
  const images = [body.image, body['image[]'], body.images].flatMap(pictures)
  const [mask] = pictures(body.mask)
  return mask ? { images, mask } : { images }
}

/** The names under which an edit's pictures come, in a form or in JSON. */
export function pictureNames(isForm: boolean): readonly string[] {
  return isForm ? ['image', 'image[]', 'mask', 'markup'] : ['images', 'mask']
}

/** Takes the pictures of an edit, of these formats, as OpenAI does, or throws `OpenAiRefusal`. */
export function readStrictInputs(
  request: RecordedRequest,
  body: Record<string, unknown>,
  formats: readonly string[],
): Inputs {
  const isForm = isFormRequest(request)
  const main = isForm ? 'image' : 'images'
  const given = isForm ? [body.image, body['image[]']].flat() : body.images
  if (!isForm && given !== undefined && !Array.isArray(given)) {
    refuse(main, `Invalid type for '${main}': expected an array of objects.`, 'invalid_type')
  }
  const named = ((given ?? []) as unknown[]).filter((value) => value !== undefined)
  if (named.length === 0) refuse(main, `Missing required parameter: '${main}'.`, 'missing_required_parameter')
  if (named.length > 16) {
    const message = `Invalid '${main}': array too long. Expected an array with maximum length 16, but got an array with length ${named.length} instead.`
    refuse(main, message, 'array_above_max_length')
  }
  const read = isForm ? readPart : readReference
  const images = named.map((value, index) => checkImage(read(main, value), index + 1, formats))
  if (body.markup !== undefined && body.mask !== undefined) {
    refuse('markup', "'markup' cannot be used together with 'mask'.", 'invalid_value')
  }
  if (body.markup !== undefined) return { images, markup: checkMask(read('markup', body.markup), images[0]) }
  if (body.mask === undefined || body.mask === null) return { images }
  return { images, mask: checkMask(read('mask', body.mask), images[0]) }
}

export function isFormRequest(request: RecordedRequest): boolean {
  return request.headers['content-type']?.startsWith('multipart/form-data') ?? false
}

function readPart(param: string, value: unknown): RecordedFile {
  if (value instanceof RecordedFile) return value
  return refuse(
    param,
    `Invalid type for '${param}': expected a file, but got a string instead.`,
    'invalid_type',
  )
}

/** `{image_url}` or `{file_id}`, and nothing beside it. This OpenAI has no files and reaches no other host. */
function readReference(param: string, value: unknown): RecordedFile {
  const reference = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  const [name, ...others] = Object.keys(reference)
  if (others.length > 0 || (name !== 'image_url' && name !== 'file_id')) {
    refuse(
      param,
      `Invalid value for '${param}': expected exactly one of image_url, file_id.`,
      'invalid_value',
    )
  }
  const picture = reference.image_url
  if (!(picture instanceof RecordedFile)) {
    return refuse(param, 'Error while downloading the image.', 'invalid_image_url')
  }
  if ((picture.sizeBytes * 4) / 3 > longestDataUri) {
    refuse(param, `Invalid '${param}': string too long.`, 'string_above_max_length')
  }
  return picture
}

function checkImage(image: RecordedFile, position: number, formats: readonly string[]): RecordedFile {
  if (!formats.includes(image.format ?? '')) {
    const message = `Invalid image file or mode for image ${position}, please check your image file.`
    refuse('image', message, 'invalid_image_file')
  }
  if (image.sizeBytes >= 50 * megabyte) {
    throw new OpenAiRefusal(413, `Image ${position} is too large: the limit is 50MB.`, { param: 'image' })
  }
  return image
}

function checkMask(mask: RecordedFile, first: RecordedFile | undefined): RecordedFile {
  if (mask.format !== 'png' || !mask.hasAlpha || mask.sizeBytes >= 4 * megabyte) {
    const message = 'Invalid mask image format: a PNG with an alpha channel of less than 4MB is expected.'
    refuse('mask', message, 'invalid_mask_image_format')
  }
  if (mask.width !== first?.width || mask.height !== first?.height) {
    const message = 'Invalid mask image: the mask size does not match the size of the first image.'
    refuse('mask', message, 'invalid_mask_image_size')
  }
  return mask
}
