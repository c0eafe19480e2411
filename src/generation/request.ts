/**
 * The one internal request. Every front door parses its own dialect into this shape; past the door nobody knows
 * which dialect it was.
 */
import type { ImageFields } from '../models/fields.ts'
import type { Handling, Warning } from '../models/map-fields.ts'
import { sizeText } from '../models/size-rule.ts'

export interface GenerationRequest {
  /** A model's id or alias, as the caller wrote it. */
  model: string
  /** Well-formed Unicode without NUL. */
  prompt: string
  fields: ImageFields
  /** How to treat what the model cannot do. */
  handling: Handling
  /** What the door itself could not honour. */
  warnings: readonly Warning[]
  /** The caller's own labels, kept with the task. */
  metadata?: Record<string, string>
}

/** The request as its task row keeps it: everything that says what was asked, no bytes. */
export function toStoredRequest(request: GenerationRequest): object {
  const { size, ...fields } = request.fields
  return {
    prompt: request.prompt,
    ...fields,
    ...(size ? { size: sizeText(size) } : {}),
    ...(request.metadata ? { metadata: request.metadata } : {}),
  }
}
