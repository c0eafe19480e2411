/**
 * The parts of a form as the JSON body they stand for: numbers, booleans and lists are text in a form, and clients
 * write the names of lists in several ways.
 */
import { badRequest, GessoError } from '../../lib/errors.ts'
import type { MultipartBody } from '../multipart-body.ts'
import { parseJson } from '../parse-json.ts'
import type { MultipartPart } from '../receive-part.ts'
import { cutText, showValue } from '../show-value.ts'

const numbers = new Set([
  'n',
  'output_compression',
  'output_quality',
  'seed',
  'guidance',
  'num_inference_steps',
  'strength',
  'lora_scale',
  'partial_images',
])
const booleans = new Set([
  'go_fast',
  'disable_safety_checker',
  'enhance_prompt',
  'optimize_prompt',
  'watermark',
  'stream',
  'async',
  'dry_run',
])
const objects = new Set(['metadata', 'sequential_image_generation_options'])
const lists = new Set(['extra_lora_weights', 'extra_lora_scale'])
const pictures = new Set(['image', 'images', 'mask', 'markup'])

/** One value of a list, and the number in its name, where it has one. */
interface Entry {
  index: number | undefined
  value: unknown
}

/** The body. Throws a 400 for a field that came twice or is not what it should be. */
export function formToBody(form: MultipartBody): Record<string, unknown> {
  const scalars = new Map<string, unknown>()
  const entries = new Map<string, Entry[]>()
  const pairs = new Map<string, Map<string, unknown>>()
  for (const part of form.parts) {
    const { base, key } = readName(part.name)
    if ('file' in part && !pictures.has(base)) throw noFileTaken(base)
    if (pictures.has(base) || lists.has(base)) {
      const value = entryOf(base, part)
      const index = key ? Number(key) : undefined
      if (value !== undefined) entries.set(base, [...(entries.get(base) ?? []), { index, value }])
    } else if ('text' in part) {
      const into = key === undefined ? scalars : (pairs.get(base) ?? new Map<string, unknown>())
      if (key !== undefined) pairs.set(base, into)
      if (into.has(key ?? base)) throw sentTwice(key === undefined ? base : `${base}.${key}`)
      into.set(key ?? base, key === undefined ? value(base, part.text) : pairValue(base, key, part.text))
    }
  }
  for (const base of pairs.keys()) if (scalars.get(base) !== undefined) throw sentTwice(base)
  return Object.fromEntries([
    ...scalars,
    ...[...pairs].map(([base, keys]) => [base, Object.fromEntries(keys)] as const),
    ...[...entries].map(([base, list]) => [base, inOrder(base, list)] as const),
  ])
}

/** `image[]` and `image[0]` are entries of image, `metadata[order]` is a key of metadata; other names are as they are. */
function readName(name: string): { base: string; key?: string } {
  const [, base = '', key = ''] = /^([^[\]]{1,100})\[([^[\]]{0,64})\]$/.exec(name) ?? []
  const isEntry = (lists.has(base) || pictures.has(base)) && /^\d{0,4}$/.test(key)
  return isEntry || objects.has(base) ? { base, key } : { base: cutText(name, 100) }
}

/** The values as their numbers say, where all have one; else as they came. One picture is no list. */
function inOrder(base: string, entries: readonly Entry[]): unknown {
  const isNumbered = entries.every(({ index }) => index !== undefined)
  const sorted = isNumbered ? entries.toSorted((a, b) => (a.index ?? 0) - (b.index ?? 0)) : entries
  const values = sorted.map((entry) => entry.value)
  return values.length === 1 && pictures.has(base) ? values[0] : values
}

/** Undefined for a picture that was left empty, which browsers send as a file without a name and without bytes. */
function entryOf(base: string, part: MultipartPart): unknown {
  if ('file' in part) return part.filename === '' && part.file.sizeBytes === 0 ? undefined : part.file
  if (pictures.has(base)) return part.text === '' ? undefined : part.text
  return base === 'extra_lora_scale' ? number(base, part.text) : part.text
}

function pairValue(base: string, key: string, text: string): unknown {
  if (key === '__proto__')
    throw badRequest(`${base}.${key}`, `${base}.${key} is a key that is not allowed; choose another name.`)
  if (base === 'metadata') return text
  return text === '' ? undefined : /^-?\d{1,15}$/.test(text) ? Number(text) : text
}

function value(name: string, text: string): unknown {
  // An empty field of a form is one that nobody filled in.
  if (text === '' && name !== 'prompt') return undefined
  if (numbers.has(name)) return number(name, text)
  if (booleans.has(name)) {
    if (text === 'true' || text === 'false') return text === 'true'
    throw badRequest(name, `${name} is ${showValue(text)}, but must be true or false.`)
  }
  return objects.has(name) ? jsonObject(name, text) : text
}

/** An object as strictly as one of a JSON body, whose errors speak of the body and of paths within it. */
function jsonObject(name: string, text: string): object {
  try {
    return parseJson(Buffer.from(text))
  } catch (error) {
    if (!(error instanceof GessoError)) throw error
    const { param, message } = error
    if (param === null) throw badRequest(name, message.replace(/^The body/, name))
    throw badRequest(`${name}.${param}`, `${name}.${message}`)
  }
}

function number(name: string, text: string): number {
  if (/^-?\d{1,20}(\.\d{1,20})?$/.test(text)) return Number(text)
  throw badRequest(name, `${name} is ${showValue(text)}, but must be a number.`)
}

function sentTwice(name: string): GessoError {
  return badRequest(name, `${name} was sent twice; send it once.`)
}

function noFileTaken(base: string): GessoError {
  return badRequest(
    base,
    `${JSON.stringify(base)} came as a file, but files are taken as image, image[], mask and markup only.`,
    'unknown_parameter',
  )
}
