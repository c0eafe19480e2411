/**
 * Models of one's own, from `models:` in `gesso.yaml`: any model behind an OpenAI-compatible server. What it
 * understands is what the operator says it does; everything else is refused by name rather than passed on blindly.
 */
import { z } from 'zod'
import { text, wholeNumber, wordList } from '../lib/setting.ts'
import { configuredPrice, toPrice } from './configured-price.ts'
import { fieldTable, native } from './field-table.ts'
import { type FieldName, fieldCatalogue, fieldNames } from './fields.ts'
import type { FieldTable, Model } from './model.ts'
import { readSizeText } from './size-rule.ts'

/** Fields that an operator says nothing about: every model has them, by itself or by Gesso. */
const always: readonly FieldName[] = ['n', 'size', 'outputFormat', 'outputCompression']
const optionalFields = fieldNames.filter((name) => !always.includes(name))
const supportsExpected = `a list of ${optionalFields.map((name) => fieldCatalogue[name].publicName).join(', ')}`
const publicToField = new Map<string, FieldName>(
  optionalFields.map((name) => [fieldCatalogue[name].publicName, name]),
)

const idForm = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/
const idExpected = 'up to 128 letters, digits and . _ : / -'
const aliasesExpected = `a list of names, each ${idExpected}`

export const configuredModel = z.strictObject({
  id: z.string({ error: 'a model id' }).regex(idForm, { error: idExpected }),
  /** A provider's id. */
  provider: text("a provider's id, such as openai"),
  /** The model in the provider's words; absent = the id. */
  upstream_model: text().optional(),
  /** How the upstream speaks, where its provider has several dialects; absent = the provider's usual one. */
  dialect: text('a dialect of the provider').optional(),
  aliases: wordList(aliasesExpected)
    .refine((names) => names.every((name) => idForm.test(name)), { error: aliasesExpected })
    .default([]),
  description: text().default('A model of this server.'),
  /** The optional fields the upstream understands. */
  supports: wordList(supportsExpected)
    .refine((names) => names.every((name) => publicToField.has(name)), { error: supportsExpected })
    .default([]),
  /** The sizes it draws, as `WxH`; absent = any from 64 to 4096. */
  sizes: wordList('a list of sizes such as 1024x1024')
    .refine((sizes) => sizes.length > 0 && sizes.every((size) => readSizeText(size) !== undefined), {
      error: 'a list of sizes such as 1024x1024',
    })
    .optional(),
  /** The most pictures of one request. */
  max_n: wholeNumber({ min: 1, max: 10 }).default(10),
  /** The most pictures of one call to the upstream; more are made by several calls. Absent: as many as its provider can. */
  images_per_call: wholeNumber({ min: 1, max: 10 }).optional(),
  /** The most input pictures of an edit, where it supports `image`. */
  max_images: wholeNumber({ min: 1, max: 16 }).default(16),
  prompt_characters: wholeNumber({ min: 1, max: 1_000_000 }).default(32_000),
  /** What it costs; without a price, only accounts that are not charged can use it. */
  price: configuredPrice.optional(),
})

export type ConfiguredModel = z.infer<typeof configuredModel>

/** The catalogue entry of a model of one's own. */
export function fromConfiguration(configured: ConfiguredModel): Model {
  return {
    id: configured.id,
    aliases: configured.aliases,
    ownedBy: configured.provider,
    created: 0,
    description: configured.description,
    routes: [
      {
        provider: configured.provider,
        upstreamModel: configured.upstream_model ?? configured.id,
        dialect: configured.dialect,
        promptCharacters: configured.prompt_characters,
        imagesPerCall: configured.images_per_call ?? 10,
        fields: configuredFields(configured),
        price: configured.price && toPrice(configured.price),
      },
    ],
  }
}

function configuredFields(configured: ConfiguredModel): FieldTable {
  const supported = configured.supports.flatMap((name) => publicToField.get(name) ?? [])
  const images = { min: 1, max: configured.max_images }
  return fieldTable({
    ...Object.fromEntries(supported.map((name) => [name, native])),
    ...(supported.includes('images') ? { images: { support: 'native', range: images } } : {}),
    n: { support: 'native', range: { min: 1, max: configured.max_n }, default: 1 },
    size: {
      support: 'native',
      sizes: configured.sizes
        ? { kind: 'list', sizes: configured.sizes.flatMap((size) => readSizeText(size) ?? []) }
        : { kind: 'range', minEdge: 64, maxEdge: 4096 },
    },
  })
}
