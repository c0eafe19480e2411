/**
 * What every front door makes of its own dialect: the canonical body, in the words of `/v1/images/generations`, with
 * the key's defaults filled in.
 */
import { z } from 'zod'
import type { KeyDefaults } from '../../keys/key-defaults.ts'
import { badRequest } from '../../lib/errors.ts'
import { type FieldName, fieldCatalogue, fieldNames } from '../../models/fields.ts'
import { drawingFields, modelField } from './image-fields.ts'

const fields = z.strictObject({ model: modelField, ...drawingFields })

/** The fields as they were validated; a door that has no such field leaves it out. */
export type DrawingBody = Partial<z.output<typeof fields>>

export interface FilledBody {
  body: DrawingBody
  /** Which of the model's fields the key filled in. */
  defaulted: Set<FieldName>
}

const fieldOf = new Map<string, FieldName>(fieldNames.map((name) => [fieldCatalogue[name].publicName, name]))

/** Fills in what the key says where the caller is silent. Throws a 400 where the key's own words are no good. */
export function fillIn(body: DrawingBody, defaults: KeyDefaults): FilledBody {
  const missing = Object.entries(defaults).filter(
    ([name, value]) => value !== undefined && isSilent(body, name),
  )
  if (missing.length === 0) return { body, defaulted: new Set() }
  const parsed = fields.partial().safeParse(Object.fromEntries(missing))
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const name = String(issue?.path[0] ?? 'defaults')
    throw badRequest(
      name,
      `The default ${name} of this API key must be ${issue?.message}. Its owner has to make a key with another one.`,
    )
  }
  const filled = { ...withoutContradiction(parsed.data, body), ...withoutAbsent(body) }
  const defaulted = new Set(missing.flatMap(([name]) => fieldOf.get(name) ?? []))
  return { body: filled, defaulted }
}

/** The defaults that go together with what the caller wrote: a caller must not be refused for a default. */
function withoutContradiction(defaults: DrawingBody, body: DrawingBody): DrawingBody {
  const kept = { ...defaults }
  if (body.background === 'transparent' && kept.output_format === 'jpeg') delete kept.output_format
  if (body.output_format === 'jpeg' && kept.background === 'transparent') delete kept.background
  if (!compresses(body.output_format ?? kept.output_format)) delete kept.output_compression
  return kept
}

/** Names that say the same thing: a default of one is not filled in beside another. */
const sameWish: Record<string, readonly (keyof DrawingBody)[]> = {
  size: ['size', 'aspect_ratio', 'image_size'],
  output_compression: ['output_compression', 'output_quality'],
  enhance_prompt: ['enhance_prompt', 'optimize_prompt'],
}

function isSilent(body: DrawingBody, name: string): boolean {
  return (sameWish[name] ?? [name as keyof DrawingBody]).every((one) => body[one] === undefined)
}

function withoutAbsent(body: DrawingBody): DrawingBody {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined))
}

function compresses(format: string | undefined): boolean {
  return format !== undefined && format !== 'png'
}
