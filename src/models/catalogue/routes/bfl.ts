/**
 * What Black Forest Labs serves: limits of its OpenAPI description (https://api.bfl.ai/openapi.json) and of its API
 * reference, read 2026-11-20, prices of its documentation and of its own integration guide, read 2026-11-21.
 */

import { fieldTable, native } from '../../field-table.ts'
import type { FieldName } from '../../fields.ts'
import type { FieldRule, ModelRoute } from '../../model.ts'
import type { Price, PriceItem } from '../../price.ts'
import type { SizeRule } from '../../size-rule.ts'
import type { RouteTable } from '../identity.ts'

const unsupported: FieldRule = { support: 'unsupported' }
const formats = ['png', 'jpeg', 'webp']

/** Four megapixels and no bound on the ratio. */
const flux2Sizes: SizeRule = {
  kind: 'range',
  minEdge: 64,
  maxEdge: 4_096,
  multipleOf: 16,
  maxPixels: 4_194_304,
}
/** Of one input picture; no bound is published, so it is taken to be that of the pictures it makes. */
const mostInputMegapixels = 4
const flux1Sizes: SizeRule = { kind: 'range', minEdge: 256, maxEdge: 1_440, multipleOf: 32 }

/** Any ratio between the first and the last; these are the usual ones. */
const ratios = [
  ...['21:9', '2:1', '16:9', '3:2', '4:3', '5:4', '1:1'],
  ...['4:5', '3:4', '2:3', '9:16', '1:2', '9:21'],
]
const byRatio: Specials = {
  size: unsupported,
  aspectRatio: { support: 'native', values: ratios },
  imageSize: unsupported,
}

type Specials = Partial<Record<FieldName, FieldRule>>

function route(options: {
  model: string
  dialect: string
  fields: Specials
  price: Price
  promptCharacters?: number
  format?: string
}): ModelRoute {
  const { model, dialect, fields, price, promptCharacters = 4_000, format = 'jpeg' } = options
  return {
    provider: 'bfl',
    upstreamModel: model,
    dialect,
    promptCharacters,
    imagesPerCall: 1,
    fields: fieldTable({
      moderation: { support: 'converted', values: ['auto', 'low'], default: 'auto' },
      outputFormat: { support: 'native', values: formats, default: format },
      seed: native,
      ...fields,
    }),
    price,
  }
}

function flux2(options: {
  model: string
  dialect?: string
  images?: number
  /** Micro-USD of the first megapixel, and of each further one that goes in or out. */
  micros: [first: number, further: number]
  fields?: Specials
}): ModelRoute {
  const { model, dialect = 'flux-2', images = 8, micros, fields } = options
  const [first, further] = micros
  return route({
    model,
    dialect,
    // The vendor counts 32,000 tokens.
    promptCharacters: 32_000,
    fields: {
      size: { support: 'native', sizes: flux2Sizes, default: 'auto' },
      imageSize: { support: 'converted', values: ['512', '1K', '2K'] },
      images: { support: 'native', range: { min: 1, max: images } },
      ...fields,
    },
    // "(firstMP + (outputMP-1) * mpPrice) + (inputMP * mpPrice)", of 1024x1024 pixels each.
    price: price('https://github.com/black-forest-labs/skills/blob/main/skills/bfl-api/SKILL.md', [
      { per: 'image', micros: first },
      { per: 'megapixel', micros: further, from: 1, begun: true },
      { per: 'input megapixel', micros: further, atMost: mostInputMegapixels },
    ]),
  })
}

/** One of the older models, which cost the same at any size. */
function flux1(options: {
  model: string
  dialect: string
  micros: number
  fields: Specials
  format?: string
}): ModelRoute {
  const { micros, ...others } = options
  const source = 'https://docs.bfl.ai/quick_start/pricing'
  return route({ ...others, price: price(source, [{ per: 'image', micros }]) })
}

function kontext(model: string, micros: number): ModelRoute {
  const images: FieldRule = { support: 'native', range: { min: 1, max: 4 } }
  return flux1({ model, dialect: 'flux-kontext', micros, format: 'png', fields: { ...byRatio, images } })
}

function price(source: string, items: readonly PriceItem[]): Price {
  return { items, asOf: '2026-11-21', source }
}

function sampler(
  steps: FieldRule['range'],
  guidance: FieldRule['range'],
  defaults: [number, number],
): Specials {
  return {
    steps: { support: 'native', range: steps, default: defaults[0] },
    guidance: { support: 'native', range: guidance, default: defaults[1] },
  }
}

const onePicture: FieldRule = { support: 'renamed', range: { min: 1, max: 1 } }
const flux1Size: Specials = {
  size: { support: 'native', sizes: flux1Sizes, default: '1024x768' },
  imageSize: { support: 'converted', values: ['512', '1K'] },
}

export const bflRoutes: RouteTable = {
  'flux-2-pro': flux2({ model: 'flux-2-pro', micros: [30_000, 15_000] }),
  'flux-2-pro-preview': flux2({ model: 'flux-2-pro-preview', micros: [30_000, 15_000] }),
  'flux-2-max': flux2({ model: 'flux-2-max', micros: [70_000, 30_000] }),
  'flux-2-flex': flux2({
    model: 'flux-2-flex',
    dialect: 'flux-2-flex',
    micros: [50_000, 50_000],
    fields: sampler({ min: 1, max: 50 }, { min: 1.5, max: 10 }, [50, 5]),
  }),
  'flux-2-klein-4b': flux2({
    model: 'flux-2-klein-4b',
    dialect: 'flux-2-klein',
    images: 4,
    micros: [14_000, 1_000],
  }),
  'flux-2-klein-9b': flux2({
    model: 'flux-2-klein-9b',
    dialect: 'flux-2-klein',
    images: 4,
    micros: [15_000, 2_000],
  }),
  'flux-kontext-pro': kontext('flux-kontext-pro', 40_000),
  'flux-kontext-max': kontext('flux-kontext-max', 80_000),
  'flux-1.1-pro': flux1({
    model: 'flux-pro-1.1',
    dialect: 'flux-pro-1.1',
    micros: 40_000,
    fields: { ...flux1Size, images: onePicture },
  }),
  'flux-1.1-pro-ultra': flux1({
    model: 'flux-pro-1.1-ultra',
    dialect: 'flux-pro-1.1-ultra',
    micros: 60_000,
    fields: {
      ...byRatio,
      aspectRatio: { support: 'native', values: ratios, default: '16:9' },
      images: onePicture,
      // A picture that pulls by 0.1 leaves the result free by 0.9.
      strength: { support: 'converted', range: { min: 0, max: 1 }, default: 0.9 },
      style: { support: 'converted', values: ['vivid', 'natural'], default: 'vivid' },
    },
  }),
  'flux-fill-pro': flux1({
    model: 'flux-pro-1.0-fill',
    dialect: 'flux-pro-1.0-fill',
    micros: 50_000,
    fields: {
      // The result is as large as the picture.
      size: unsupported,
      aspectRatio: unsupported,
      imageSize: unsupported,
      images: { support: 'native', range: { min: 1, max: 1 }, required: true },
      mask: { support: 'converted', required: true },
      ...sampler({ min: 15, max: 50 }, { min: 1.5, max: 100 }, [50, 60]),
    },
  }),
  'flux-1-dev': flux1({
    model: 'flux-dev',
    dialect: 'flux-dev',
    micros: 25_000,
    fields: {
      ...flux1Size,
      images: onePicture,
      ...sampler({ min: 1, max: 50 }, { min: 1.5, max: 5 }, [28, 3]),
    },
  }),
}
