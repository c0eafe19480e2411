/** Whether unfinished pictures can be shown to someone who would like to see them. */
import { badRequest } from '../lib/errors.ts'
import type { Warning } from '../models/map-fields.ts'
import type { ServedModel } from '../models/model.ts'
import type { GenerationRequest } from './request.ts'

export interface PlannedWatching {
  /** How many stages of each picture are asked for; 0 where none are shown. */
  partialImages: number
  /** How many pictures one call makes then. */
  imagesPerCall: number
  warnings: Warning[]
}

/**
 * A model that shows no unfinished pictures is a warning, and an error under `strict`. A picture that is watched has a
 * call of its own: vendors' events do not say which picture of a call they show.
 */
export function planWatching(
  model: ServedModel,
  { partialImages = 0, handling, fields }: Pick<GenerationRequest, 'partialImages' | 'handling' | 'fields'>,
): PlannedWatching {
  const { imagesPerCall } = model
  if (partialImages === 0) return { partialImages: 0, imagesPerCall, warnings: [] }
  if (model.streams) return { partialImages, imagesPerCall: fields.series ? imagesPerCall : 1, warnings: [] }
  const message = `partial_images is not supported by ${model.id}: it shows no unfinished pictures.`
  if (handling === 'strict') throw badRequest('partial_images', message, 'unsupported_parameter')
  const warning = {
    param: 'partial_images',
    code: 'unsupported_parameter',
    message: `${message} Only the final event comes.`,
  }
  return { partialImages: 0, imagesPerCall, warnings: [warning] }
}
