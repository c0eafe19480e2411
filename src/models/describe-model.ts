/** A model as `GET /v1/models` shows it: OpenAI's object, and beside it what each field accepts. */
import { fieldCatalogue, fieldNames } from './fields.ts'
import type { FieldRule, ServedModel } from './model.ts'
import type { Price, PriceItem } from './price.ts'
import { sizeText } from './size-rule.ts'

/** A price list: items that add up, in micro-USD. */
export interface Pricing {
  currency: 'USD'
  as_of: string
  source: string
  items: Record<string, unknown>[]
}

export interface ModelDescription {
  id: string
  object: 'model'
  created: number
  owned_by: string
  /** Is a provider that serves it configured? */
  available: boolean
  description: string
  aliases: readonly string[]
  features: Record<string, boolean>
  parameters: Record<string, Record<string, unknown>>
  limits: { prompt_characters: number; n: number; images_per_call: number; input_images: number }
  /** What the vendor asks for it; `null` where that is not known, or nothing. */
  pricing: Pricing | null
  /** The vendor has closed it, and which model draws in its place. */
  retired?: { on: string; successor: string }
}

/** Describes a model from its capability table alone. */
export function describeModel(model: ServedModel, available: boolean): ModelDescription {
  const supports = (rule: FieldRule) => rule.support !== 'unsupported'
  return {
    id: model.id,
    object: 'model',
    created: model.created,
    owned_by: model.ownedBy,
    available,
    description: model.description,
    aliases: model.aliases,
    features: {
      generate: !model.fields.images.required,
      edit: supports(model.fields.images),
      mask: supports(model.fields.mask),
      variations: supports(model.fields.images),
      stream: model.streams ?? false,
      async_only: false,
      transparent:
        model.fields.background.values?.includes('transparent') ?? supports(model.fields.background),
      seed: supports(model.fields.seed),
      negative_prompt: supports(model.fields.negativePrompt),
      lora: supports(model.fields.loraWeights),
      sequential: supports(model.fields.series),
    },
    parameters: Object.fromEntries(
      fieldNames.map((name) => [fieldCatalogue[name].publicName, describeRule(model.fields[name])]),
    ),
    limits: {
      prompt_characters: model.promptCharacters,
      n: model.fields.n.range?.max ?? 1,
      images_per_call: model.imagesPerCall,
      input_images: supports(model.fields.images) ? (model.fields.images.range?.max ?? 1) : 0,
    },
    pricing: model.price ? describePrice(model.price) : null,
    ...(model.retired ? { retired: model.retired } : {}),
  }
}

function describePrice({ items, asOf, source }: Price): Pricing {
  return { currency: 'USD', as_of: asOf, source, items: items.map(describeItem) }
}

function describeItem(item: PriceItem): Record<string, unknown> {
  const { per, micros, ...rest } = item
  const words = Object.entries(rest).filter(([, value]) => value !== undefined)
  const names: Record<string, string> = { imageSize: 'image_size', upToPixels: 'up_to_pixels' }
  return { per, micros, ...Object.fromEntries(words.map(([name, value]) => [names[name] ?? name, value])) }
}

function describeRule(rule: FieldRule): Record<string, unknown> {
  return {
    support: rule.support,
    ...(rule.values ? { enum: rule.values } : {}),
    ...(rule.range ? { min: rule.range.min, max: rule.range.max } : {}),
    ...(rule.sizes?.kind === 'list' ? { enum: ['auto', ...rule.sizes.sizes.map(sizeText)] } : {}),
    ...(rule.sizes?.kind === 'range'
      ? {
          min_edge: rule.sizes.minEdge,
          max_edge: rule.sizes.maxEdge,
          multiple_of: rule.sizes.multipleOf,
          min_pixels: rule.sizes.minPixels,
          max_pixels: rule.sizes.maxPixels,
          max_ratio: rule.sizes.maxRatio,
        }
      : {}),
    ...(rule.required ? { required: true } : {}),
    ...(rule.default === undefined ? {} : { default: rule.default }),
  }
}
