/** A model as `GET /v1/models` shows it: OpenAI's object, and beside it what each field accepts. */
import {
  type FieldName,
  fieldCatalogue,
  fieldNames,
  type ImageSize,
  imageSizes,
  outputFormats,
} from './fields.ts'
import type { FieldRule, ServedModel } from './model.ts'
import type { Price, PriceItem } from './price.ts'
import {
  classFor,
  classOf,
  ratioError,
  ratioText,
  ratioTolerance,
  ratioValue,
  targetPixels,
} from './ratio.ts'
import { type SizeRange, type SizeRule, sizeText } from './size-rule.ts'

/** A price list: items that add up, in micro-USD, as callers of this server pay them. */
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
  /** What it costs here; `null` where that is not known. */
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
      // A variation has a picture and nothing else.
      variations: supports(model.fields.images) && !model.fields.mask.required,
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
      fieldNames.map((name) => [fieldCatalogue[name].publicName, describeRule(ruleInEffect(model, name))]),
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

function describePrice({ items, asOf, source, marginPercent = 0 }: Price): Pricing {
  return {
    currency: 'USD',
    as_of: asOf,
    source,
    items: items.map((item) => describeItem(item, marginPercent)),
  }
}

const itemNames: Record<string, string> = { imageSize: 'image_size', upToPixels: 'up_to_pixels' }

/** With the margin in it, as a sum of money is rounded at its end only: parts of a micro-USD stay. */
function describeItem(item: PriceItem, marginPercent: number): Record<string, unknown> {
  const { per, micros, ...rest } = item
  const names: Record<string, string> = {
    ...itemNames,
    atMost: item.per === 'second' ? 'at_most_seconds' : 'at_most',
  }
  const words = Object.entries(rest).filter(([, value]) => value !== undefined)
  return {
    per,
    micros: Number(((micros * (100 + marginPercent)) / 100).toFixed(6)),
    ...Object.fromEntries(words.map(([name, value]) => [names[name] ?? name, value])),
  }
}

/** The rule as a caller meets it, where the table says only how Gesso goes about it. */
function ruleInEffect({ fields }: ServedModel, name: FieldName): FieldRule {
  const rule = fields[name]
  if (rule.support === 'unsupported') return rule
  // What the model does not make, Gesso does.
  if (name === 'outputFormat') return { ...rule, values: outputFormats }
  if (rule.support !== 'converted' || (name !== 'aspectRatio' && name !== 'imageSize')) return rule
  const { sizes } = fields.size
  const values = sizes && (name === 'imageSize' ? classesWithin(sizes, rule) : ratiosWithin(sizes))
  const isEmpty = !sizes || values?.length === 0
  return isEmpty ? { support: 'unsupported' } : { ...rule, values }
}

/** The resolution classes that the sizes have a picture for. */
function classesWithin(sizes: SizeRule, { values }: FieldRule): readonly string[] {
  return imageSizes.filter((one) => {
    if (values && !values.includes(one)) return false
    if (one.startsWith('optimize_')) return true
    return sizes.kind === 'list'
      ? sizes.sizes.some((size) => classOf(size) === one)
      : classOf(squareNear(sizes, one)) === classFor(one)
  })
}

/** About the square that is drawn for a class; its true edge may be rounded to a step. */
function squareNear({ minEdge, maxEdge, minPixels = 0, maxPixels }: SizeRange, wish: ImageSize) {
  const most = Math.min(maxEdge, Math.sqrt(maxPixels ?? Number.POSITIVE_INFINITY))
  const edge = Math.min(most, Math.max(minEdge, Math.sqrt(minPixels), Math.sqrt(targetPixels(wish))))
  return { width: edge, height: edge }
}

const usualRatios = [
  '1:1',
  '5:4',
  '4:5',
  '4:3',
  '3:4',
  '3:2',
  '2:3',
  '16:9',
  '9:16',
  '2:1',
  '1:2',
  '21:9',
  '9:21',
]

/** The ratios of listed sizes, by their usual names; a range has too many to name. */
function ratiosWithin(sizes: SizeRule): readonly string[] | undefined {
  if (sizes.kind === 'range') return undefined
  const names = sizes.sizes.map(
    (size) =>
      usualRatios.find((ratio) => ratioError(size, ratioValue(ratio)) <= ratioTolerance) ?? ratioText(size),
  )
  return [...new Set(names)]
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
    ...(rule.maxItems === undefined ? {} : { max_items: rule.maxItems }),
    ...(rule.withoutImages ? { without_images: true } : {}),
    ...(rule.required ? { required: true } : {}),
    ...(rule.default === undefined ? {} : { default: rule.default }),
  }
}
