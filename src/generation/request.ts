/**
 * The one internal request. Every front door parses its own dialect into this shape; past the door nobody knows
 * which dialect it was.
 */
import type { SpooledFile } from '../inputs/spool.ts'
import type { FieldName, FieldSpelling, ImageFields } from '../models/fields.ts'
import type { Handling, Warning } from '../models/map-fields.ts'
import { sizeText } from '../models/size-rule.ts'

/** An input picture as the caller named it, and the field it stood in, for messages. */
export type InputSource = { param: string } & (
  | { kind: 'file'; file: SpooledFile }
  | { kind: 'url'; url: string }
  /** A picture that this Gesso made. */
  | { kind: 'image'; imageId: string }
)

export interface GenerationRequest {
  /** A model's id or alias, as the caller wrote it. */
  model: string
  /** Well-formed Unicode without NUL. */
  prompt: string
  /** All but the input pictures, which are counted where they are. */
  fields: Omit<ImageFields, 'images' | 'mask' | 'markup'>
  /** Any makes the request an edit. */
  images: readonly InputSource[]
  mask?: InputSource
  markup?: InputSource
  /** The field by which the caller asked to have the prompt rewritten first; absent where it did not. */
  enhancedBy?: string
  /** The normalised name of the bucket that the pictures go to. */
  bucket?: string
  /** The pictures' links never expire. */
  permanentLinks: boolean
  /** How to treat what the model cannot do. */
  handling: Handling
  /** The caller's spelling of fields with several names. */
  spelling?: FieldSpelling
  /** Fields that the key or the door filled in. */
  defaulted: ReadonlySet<FieldName>
  /** What the door itself could not honour. */
  warnings: readonly Warning[]
  /** How many unfinished stages of each picture the caller would like to see, 0–3; absent where it does not watch. */
  partialImages?: number
  /** The caller's own labels, kept with the task. */
  metadata?: Record<string, string>
}

/** Everything that is asked of the model, input pictures included. */
export function askedFields(request: GenerationRequest): ImageFields {
  return {
    ...request.fields,
    ...(request.images.length > 0 ? { images: request.images.length } : {}),
    ...(request.mask ? { mask: true } : {}),
    ...(request.markup ? { markup: true } : {}),
  }
}

/** Download links carry their keys in the query. */
function withoutQuery(address: string): string {
  return address.replace(/[?#].*$/, '')
}

/** The request as its task row keeps it: everything that says what was asked, no bytes. */
export function toStoredRequest(request: GenerationRequest): object {
  const { size, loraWeights, extraLoraWeights, ...fields } = askedFields(request)
  return {
    prompt: request.prompt,
    ...fields,
    ...(loraWeights ? { loraWeights: withoutQuery(loraWeights) } : {}),
    ...(extraLoraWeights ? { extraLoraWeights: extraLoraWeights.map(withoutQuery) } : {}),
    ...(size ? { size: sizeText(size) } : {}),
    ...(request.enhancedBy ? { enhancePrompt: true } : {}),
    ...(request.bucket ? { bucket: request.bucket } : {}),
    ...(request.metadata ? { metadata: request.metadata } : {}),
  }
}
