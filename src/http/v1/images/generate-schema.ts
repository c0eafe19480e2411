/** The body of `POST /v1/images/generations`: OpenAI's fields, and those beside them. */
import { z } from 'zod'
import type { GenerationRequest } from '../../../generation/request.ts'
import { badRequest } from '../../../lib/errors.ts'
import { outputFormats, type Size } from '../../../models/fields.ts'
import type { Handling, Warning } from '../../../models/map-fields.ts'
import { costSchema, imageEntrySchema, notYet, optional, usageSchema, warningSchema } from '../../schemas.ts'

const qualities = ['auto', 'low', 'medium', 'high', 'xhigh', 'max', 'standard', 'hd'] as const

function word<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, { error: `one of ${words.join(', ')}` })
}

function integer(min: number, max: number) {
  return z
    .int({ error: `a whole number from ${min} to ${max}` })
    .min(min, { error: `a whole number from ${min} to ${max}` })
    .max(max, { error: `a whole number from ${min} to ${max}` })
}

function label(what: string, maxLength: number) {
  const error = `${what} of 1 to ${maxLength} characters`
  return z.string({ error }).min(1, { error }).max(maxLength, { error })
}

const sizeError = 'auto or WxH, such as 1024x1024'

const metadataError = 'an object of at most 16 pairs of text, keys up to 64 and values up to 512 characters'
const metadata = z
  .record(
    z.string().max(64),
    z.string({ error: 'text' }).max(512, { error: 'text of at most 512 characters' }),
    {
      error: metadataError,
    },
  )
  .refine((pairs) => Object.keys(pairs).length <= 16, { error: metadataError })

export const generateBody = z
  .strictObject(
    {
      model: label('a model id', 200).describe('A model id or alias; GET /v1/models lists them.'),
      prompt: z
        .string({ error: 'text' })
        // Whatever the model's limit is, nothing walks more than this.
        .max(1_000_000, { error: 'text of at most 1,000,000 characters', abort: true })
        .refine((prompt) => prompt.trim() !== '', { error: 'text that is not blank' })
        .describe('What to draw. The limit is the model’s.'),
      n: optional(integer(1, 10)).describe('How many images. Default 1.'),
      size: optional(z.string({ error: sizeError }).max(40, { error: sizeError })).describe(
        '`auto` or `WxH` with a lower-case x.',
      ),
      quality: optional(word(qualities)).describe(
        '`standard` is `medium` and `hd` is `high` where a model has only the new words.',
      ),
      style: optional(word(['vivid', 'natural'])).describe('A hint: dramatic or plain.'),
      background: optional(word(['transparent', 'opaque', 'auto'])).describe(
        '`transparent` needs png, webp or avif.',
      ),
      moderation: optional(word(['auto', 'low'])).describe(
        'A hint: how strictly the provider looks at the prompt.',
      ),
      response_format: optional(word(['url', 'b64_json'])).describe(
        'Default: the server’s, `url` unless configured.',
      ),
      output_format: optional(word(outputFormats)).describe('Default: what the model returns.'),
      output_compression: optional(integer(0, 100)).describe('jpeg, webp and avif only; higher is better.'),
      seed: optional(integer(0, 4_294_967_295)).describe('Image k of n uses seed + k.'),
      negative_prompt: optional(
        z.string({ error: 'text' }).max(32_000, { error: 'text of at most 32,000 characters' }),
      ),
      user: optional(z.string({ error: 'text' }).max(128, { error: 'text of at most 128 characters' })),
      safety_identifier: optional(
        z.string({ error: 'text' }).max(128, { error: 'text of at most 128 characters' }),
      ).describe('Wins over `user`.'),
      metadata: optional(metadata).describe('Your own labels, kept with the task.'),
      stream: notYet(false),
      partial_images: notYet(0),
      async: notYet(false),
      dry_run: notYet(false),
      watermark: notYet(false),
      enhance_prompt: notYet(false),
      optimize_prompt: notYet(false),
      sequential_image_generation: notYet('disabled'),
    },
    { error: 'a JSON object' },
  )
  .meta({
    id: 'GenerateImages',
    example: {
      model: 'gesso-collage',
      prompt: 'three neon orange foxes in a misty forest at night',
      size: '1024x1024',
    },
  })

export type GenerateBody = z.output<typeof generateBody>

export const generateAnswer = z
  .object({
    id: z.string().describe('The task; GET /v1/images/generations/{id} shows it again.'),
    created: z.int().describe('Unix seconds.'),
    model: z.string(),
    data: z.array(imageEntrySchema),
    size: z.string(),
    quality: z.string().optional(),
    background: z.string().optional(),
    output_format: z.string(),
    usage: usageSchema,
    cost: costSchema,
    warnings: z.array(warningSchema).optional(),
  })
  .meta({ id: 'Images' })

/** The caller's words as the one internal request. */
export function toGenerationRequest(
  body: GenerateBody,
  handling: Handling,
  warnings: readonly Warning[],
): GenerationRequest {
  const negativePrompt = body.negative_prompt?.trim() === '' ? undefined : body.negative_prompt
  return {
    model: body.model,
    prompt: body.prompt,
    handling,
    warnings,
    metadata: body.metadata,
    fields: {
      n: body.n ?? 1,
      size: parseSize(body.size),
      quality: body.quality,
      style: body.style,
      background: body.background,
      moderation: body.moderation,
      outputFormat: body.output_format,
      outputCompression: body.output_compression,
      seed: body.seed,
      negativePrompt,
      safetyIdentifier: body.safety_identifier || body.user || undefined,
    },
  }
}

/** `WxH` in pixels; `auto` leaves the choice to the model. */
function parseSize(size: string | undefined): Size | undefined {
  if (size === undefined || size === 'auto') return undefined
  const [, width, height] = /^([1-9]\d{0,4})x([1-9]\d{0,4})$/.exec(size) ?? []
  if (width && height) return { width: Number(width), height: Number(height) }
  const shown = JSON.stringify(size.slice(0, 40))
  const hint = /^\d+\s*[×*X]\s*\d+$/.test(size.slice(0, 40))
    ? ' Use the lower-case letter x between the numbers.'
    : ''
  throw badRequest('size', `size is ${shown}, but must be auto or WxH, such as 1024x1024.${hint}`)
}
