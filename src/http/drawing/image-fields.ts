/** The fields that every operation which draws has in common, as its callers write them. */
import { z } from 'zod'
import {
  backgrounds,
  moderations,
  outputFormats,
  qualities,
  responseFormats,
  sizeWords,
  styles,
} from '../../lib/field-values.ts'
import { imageSizes } from '../../models/fields.ts'
import { notYet, optional } from '../schemas.ts'

/** One of a few words. */
export function word<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, { error: `one of ${words.join(', ')}` })
}

function integer(min: number, max: number) {
  return z
    .int({ error: `a whole number from ${min} to ${max}` })
    .min(min, { error: `a whole number from ${min} to ${max}` })
    .max(max, { error: `a whole number from ${min} to ${max}` })
}

function number(min: number, max: number) {
  const error = `a number from ${min} to ${max}`
  return z.number({ error }).min(min, { error }).max(max, { error })
}

const flag = z.boolean({ error: 'true or false' })

function text(maxLength: number) {
  return z.string({ error: 'text' }).max(maxLength, {
    error: `text of at most ${maxLength.toLocaleString('en-US')} characters`,
  })
}

function label(what: string, maxLength: number) {
  const error = `${what} of 1 to ${maxLength} characters`
  return z.string({ error }).min(1, { error }).max(maxLength, { error })
}

function list<Item extends z.ZodType>(item: Item, error: string) {
  return z.array(item, { error }).max(10, { error })
}

const ratioError = 'auto or W:H, such as 16:9'

const metadataError = 'an object of at most 16 pairs of text, keys up to 64 and values up to 512 characters'
const metadata = z
  .record(z.string(), z.string({ error: 'text' }).max(512, { error: 'text of at most 512 characters' }), {
    error: metadataError,
  })
  .refine((pairs) => Object.keys(pairs).length <= 16 && Object.keys(pairs).every((key) => key.length <= 64), {
    error: metadataError,
  })

const loraError =
  'owner/name, or an https URL without credentials and to a public host, of at most 500 characters'
const lora = z
  .string({ error: loraError })
  .max(500, { error: loraError })
  .refine((value) => value === '' || isLora(value), { error: loraError })

/** Names and public https addresses only: a provider or a local engine must not be sent to files or inner hosts. */
function isLora(value: string): boolean {
  // Others may read another host from such a text than we do.
  if (/[\s\\\p{Cc}]/u.test(value)) return false
  const url = /^[a-z][a-z0-9+.-]*:/i.test(value) ? URL.parse(value) : undefined
  if (url) {
    const isName = /^[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z][a-z0-9-]+$/i.test(url.hostname)
    // Names that public DNS does not serve; clouds hand out credentials under one of them.
    const isInner = /\.(localhost|local|internal|home\.arpa)$/i.test(url.hostname)
    return url.protocol === 'https:' && isName && !isInner && url.username === '' && url.password === ''
  }
  return /^[\w-][\w.-]*(\/[\w-][\w.-]*)*(:[\w.-]+)?$/.test(value) && !value.includes('..')
}

/** An input picture in a schema; what it may be is for `input-sources.ts` to say. */
export const imageInput = z.unknown().optional()

export const imageInputDescription =
  'An https URL, a data URI, base64, or an object with `url`, `image_url`, `b64_json` or the `image_id` of a picture of this account.'

export const modelField = optional(label('a model id', 200)).describe(
  'A model id or alias; GET /v1/models lists them. May be left to the key’s defaults.',
)

export const promptField = z
  .string({ error: 'text' })
  // Whatever the model's limit is, nothing walks more than this.
  .max(1_000_000, { error: 'text of at most 1,000,000 characters', abort: true })
  .refine((prompt) => prompt.trim() !== '', { error: 'text that is not blank' })
  .describe('What to draw. The limit is the model’s.')

export const nField = optional(integer(1, 10)).describe('How many images. Default 1.')

export const sizeField = optional(z.string({ error: sizeWords }).max(40, { error: sizeWords })).describe(
  '`auto` or `WxH` with a lower-case x.',
)

/** Diffusion models, and with them their clients, call it jpg. */
const outputFormatField = optional(
  z
    .enum([...outputFormats, 'jpg'], { error: `one of ${outputFormats.join(', ')}` })
    .transform((format) => (format === 'jpg' ? 'jpeg' : format)),
)

export const responseFormatField = optional(word(responseFormats)).describe(
  'Default: the key’s, else the server’s, `url` unless configured.',
)

export const userFields = {
  user: optional(text(128)),
  safety_identifier: optional(text(128)).describe('Wins over `user`.'),
}

/** Everything about the picture but model, prompt and input pictures. */
export const drawingFields = {
  n: nField,
  size: sizeField,
  aspect_ratio: optional(z.string({ error: ratioError }).max(20, { error: ratioError })).describe(
    '`W:H`, turned into the model’s own size or ratio.',
  ),
  image_size: optional(word(imageSizes)).describe('Resolution class.'),
  quality: optional(word(qualities)).describe(
    '`standard` is `medium` and `hd` is `high` where a model has only the new words.',
  ),
  style: optional(word(styles)).describe('A hint: dramatic or plain.'),
  background: optional(word(backgrounds)).describe('`transparent` needs png, webp or avif.'),
  moderation: optional(word(moderations)).describe('A hint: how strictly the provider looks at the prompt.'),
  complexity: optional(word(['low', 'medium', 'high'])).describe(
    'A hint: how much thought goes into the picture, whatever its quality.',
  ),
  response_format: responseFormatField,
  output_format: outputFormatField.describe('Default: what the model returns.'),
  output_compression: optional(integer(0, 100)).describe('jpeg, webp and avif only; higher is better.'),
  output_quality: optional(integer(0, 100)).describe('Another name of `output_compression`.'),
  seed: optional(integer(0, 4_294_967_295)).describe('Image k of n uses seed + k.'),
  negative_prompt: optional(text(32_000)).describe('What not to draw.'),
  guidance: optional(number(0, 100)).describe('A hint: how closely the prompt is followed.'),
  num_inference_steps: optional(integer(1, 1_000)).describe('A hint: denoising steps.'),
  strength: optional(number(0, 1)).describe('How far an edit may depart from its input.'),
  go_fast: optional(flag).describe('A hint.'),
  disable_safety_checker: optional(flag).describe('A hint.'),
  lora_weights: optional(lora).describe('`owner/name` or an https URL.'),
  lora_scale: optional(number(-10, 10)),
  extra_lora_weights: optional(list(lora, 'a list of at most 10 names or https URLs')),
  extra_lora_scale: optional(list(number(-10, 10), 'a list of at most 10 numbers')),
  input_fidelity: optional(word(['low', 'high'])).describe('A hint: how closely an edit keeps to its input.'),
  enhance_prompt: optional(flag).describe('Has the prompt rewritten before it is drawn.'),
  optimize_prompt: optional(flag).describe('Another name of `enhance_prompt`.'),
  bucket: optional(text(500)).describe('A label to keep the pictures under, brought into lower-case kebab.'),
  watermark: optional(flag).describe('A visible label that says that the picture is machine-made.'),
  sequential_image_generation: optional(word(['disabled', 'auto'])).describe(
    '`auto`: one coherent series of pictures.',
  ),
  sequential_image_generation_options: optional(
    z.strictObject({ max_images: optional(integer(1, 15)) }, { error: 'an object with max_images' }),
  ),
  ...userFields,
  metadata: optional(metadata).describe('Your own labels, kept with the task.'),
  stream: optional(flag).describe(
    'Answers with server-sent events: unfinished pictures where the model shows them, then one event per picture.',
  ),
  partial_images: optional(integer(0, 3)).describe(
    'How many unfinished stages of each picture to show; with `stream` only.',
  ),
  async: notYet(false),
  dry_run: optional(flag).describe('Checks and prices the request; nothing is drawn, nobody is called.'),
}
