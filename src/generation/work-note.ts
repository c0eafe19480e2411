/**
 * What it takes to bring a task to its end without the one who asked: kept as plain JSON while a provider is at work, so
 * that any process can deliver what was ordered. Holds no picture, no key and no address with a token in it.
 */
import { z } from 'zod'
import type { MappedFields } from '../models/map-fields.ts'
import type { Model } from '../models/model.ts'
import { price } from '../models/price.ts'
import { pricedWork } from '../pricing/priced-work.ts'
import type { OptimizedPrompt } from '../prompts/optimizer.ts'
import type { ChosenRoute } from './choose-route.ts'
import type { PlannedCall } from './plan-calls.ts'
import type { Pricing } from './plan-pricing.ts'
import type { GenerationRequest } from './request.ts'

const warning = z.object({ param: z.string().nullable(), code: z.string(), message: z.string() })
const size = z.object({ width: z.number(), height: z.number() })

const workNote = z.object({
  model: z.string(),
  /** Drawn from rules and artwork, and not by a trained network. */
  isAlgorithmic: z.boolean(),
  provider: z.string(),
  upstreamModel: z.string(),
  /** As it was drawn. */
  prompt: z.string(),
  /** The caller's own words, where its key wants them in the files. */
  promptInFiles: z.string().optional(),
  /** The values that were asked for, as far as answers speak of them. */
  asked: z.object({
    n: z.number(),
    quality: z.string().optional(),
    background: z.enum(['transparent', 'opaque', 'auto']).optional(),
  }),
  delivery: z.object({
    format: z.enum(['png', 'jpeg', 'webp', 'avif']).optional(),
    compression: z.number().optional(),
    compressesItself: z.boolean(),
    size: size.optional(),
    scales: z.boolean(),
    watermark: z.boolean(),
  }),
  isSeries: z.boolean(),
  optimization: z.object({ original: z.string(), optimized: z.string(), model: z.string() }).optional(),
  warnings: z.array(warning),
  bucket: z.string().optional(),
  permanentLinks: z.boolean(),
  /** The calls that the request was parted into. */
  calls: z.array(z.object({ n: z.number(), seed: z.number().optional() })),
  /** What it is billed by; absent where the model has no price. */
  pricing: z.object({ price, work: pricedWork }).optional(),
})

export type WorkNote = z.infer<typeof workNote>

/** Reads a note that was kept. Throws where it is none. */
export function readWorkNote(kept: unknown): WorkNote {
  return workNote.parse(kept)
}

/** Notes down the work of a request. */
export function noteWork(parts: {
  /** Do the files carry the caller's words? */
  promptInFiles: boolean
  request: GenerationRequest
  mapped: MappedFields
  route: ChosenRoute
  model: Model
  worded: { prompt: string; optimization?: OptimizedPrompt; warnings: WorkNote['warnings'] }
  calls: readonly PlannedCall[]
  pricing?: Pricing
  /** Of each picture that goes to the provider. */
  inputPixels: readonly number[]
}): WorkNote {
  const { request, mapped, route, worded } = parts
  const { n, quality, background } = mapped.provider
  return {
    model: parts.model.id,
    isAlgorithmic: parts.model.isAlgorithmic ?? false,
    provider: route.provider,
    upstreamModel: route.upstreamModel,
    prompt: worded.prompt,
    promptInFiles: parts.promptInFiles ? request.prompt : undefined,
    asked: { n, quality, background },
    delivery: mapped.delivery,
    isSeries: request.fields.series !== undefined,
    optimization: worded.optimization,
    warnings: [...request.warnings, ...mapped.warnings, ...worded.warnings],
    bucket: request.bucket,
    permanentLinks: request.permanentLinks,
    calls: [...parts.calls],
    pricing: parts.pricing && {
      price: parts.pricing.price,
      work: { ...parts.pricing.work, inputPixels: [...parts.inputPixels] },
    },
  }
}
