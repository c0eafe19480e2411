/**
 * Reads the many ways in which clients name an input picture: a URL, a data URI, bare base64, an uploaded file, or one
 * of these in an object. What comes out is one shape, and every error names the field and what is allowed.
 */
import type { InputSource } from '../../generation/request.ts'
import { isSpooledFile } from '../../inputs/is-spooled-file.ts'
import { badRequest } from '../../lib/errors.ts'
import { dataUriHeadLength, isDataUri } from '../data-uri.ts'
import { cutText, showValue } from '../show-value.ts'
import type { Uploads } from '../uploads.ts'

const allowed =
  'an https URL, a data URI, base64, or an object with one of url, image_url, b64_json and image_id'

/** All input pictures of a field: one entry, or a list of them. `name` is the field as the caller wrote it. */
export async function readInputSources(
  value: unknown,
  name: string,
  bounds: { maxImages: number; uploads: Uploads },
): Promise<InputSource[]> {
  if (value === undefined || value === null) return []
  const entries = Array.isArray(value) ? value : [value]
  if (entries.length === 0) throw badRequest(name, `${name} is an empty list, but must be ${allowed}.`)
  if (entries.length > bounds.maxImages) {
    throw badRequest(
      name,
      `${name} has ${entries.length} pictures, but a request takes at most ${bounds.maxImages}.`,
    )
  }
  const sources: InputSource[] = []
  for (const [index, entry] of entries.entries()) {
    const param = Array.isArray(value) ? `${name}[${index}]` : name
    sources.push(await readInputSource(entry, param, bounds.uploads))
  }
  return sources
}

/** One input picture. */
async function readInputSource(entry: unknown, param: string, uploads: Uploads): Promise<InputSource> {
  if (isSpooledFile(entry)) return { kind: 'file', file: entry, param }
  if (typeof entry === 'string') return readText(entry, param, uploads)
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
    throw badRequest(param, `${param} is ${showValue(entry)}, but must be ${allowed}.`)
  }
  return readObject(entry as Record<string, unknown>, param, uploads)
}

const pictureKeys = ['url', 'image_url', 'b64_json', 'image_id', 'file_id']
/** What parts of chat messages call themselves (OpenAI, Chat Completions and Responses); it asks for nothing. */
const markers = ['image_url', 'input_image', 'image']

async function readObject(
  entry: Record<string, unknown>,
  param: string,
  uploads: Uploads,
): Promise<InputSource> {
  refuseUnknownKeys(entry, [...pictureKeys, 'type'], param)
  const { type } = entry
  if (type !== undefined && type !== null && !markers.some((marker) => marker === type)) {
    throw badRequest(
      `${param}.type`,
      `${param}.type is ${showValue(type)}, but must be one of ${markers.join(', ')}, or absent.`,
    )
  }
  const given = pictureKeys.filter((key) => entry[key] !== undefined && entry[key] !== null)
  const [key] = given
  if (!key || given.length > 1) {
    throw badRequest(param, `${param} has ${given.join(' and ') || 'no picture'}, but must be ${allowed}.`)
  }
  const value = entry[key]
  const inner = `${param}.${key}`
  if (key === 'image_id' || key === 'file_id') return readImageId(value, inner)
  if (key === 'image_url' && typeof value === 'object' && value !== null && 'url' in value) {
    refuseUnknownKeys(value, ['url'], inner)
    return readFileOrText(value.url, `${inner}.url`, uploads)
  }
  return readFileOrText(value, inner, uploads)
}

/** What stands beside a picture and is not understood may have been meant to matter. */
function refuseUnknownKeys(entry: object, known: readonly string[], param: string): void {
  const unknown = Object.keys(entry).find((key) => !known.includes(key))
  if (unknown === undefined) return
  const name = `${param}.${cutText(unknown, 100)}`
  throw badRequest(
    name,
    `${JSON.stringify(name)} is not known; ${param} must be ${allowed}.`,
    'unknown_parameter',
  )
}

async function readFileOrText(value: unknown, param: string, uploads: Uploads): Promise<InputSource> {
  if (isSpooledFile(value)) return { kind: 'file', file: value, param }
  if (typeof value !== 'string') throw badRequest(param, `${param} must be text: ${allowed}.`)
  return readText(value, param, uploads)
}

function readImageId(value: unknown, param: string): InputSource {
  if (typeof value === 'string' && imageIdForm.test(value)) return { kind: 'image', imageId: value, param }
  throw badRequest(
    param,
    `${param} is ${showValue(value)}, but must be the image_id of a picture of this account, such as img_….`,
  )
}

/** No base64 of a picture is that short. */
const imageIdForm = /^img_[0-9a-f]{24}$/

async function readText(text: string, param: string, uploads: Uploads): Promise<InputSource> {
  if (/^https?:/i.test(text)) return { kind: 'url', url: text, param }
  if (imageIdForm.test(text)) return { kind: 'image', imageId: text, param }
  const base64 = isDataUri(text) ? afterDataUriHead(text, param) : text
  const digits = base64.replace(/[\r\n\t ]+/g, '')
  if (
    digits === '' ||
    !/^[A-Za-z0-9+/_-]+={0,2}$/.test(digits) ||
    digits.replace(/=+$/, '').length % 4 === 1
  ) {
    throw badRequest(param, `${param} is ${showValue(text)}, but must be ${allowed}.`)
  }
  return { kind: 'file', file: await uploads.keep(Buffer.from(digits, 'base64')), param }
}

function afterDataUriHead(text: string, param: string): string {
  const head = dataUriHeadLength(text)
  if (head !== undefined) return text.slice(head)
  throw badRequest(
    param,
    `${param} is a data URI without base64; write data:image/png;base64, and then the picture.`,
  )
}
