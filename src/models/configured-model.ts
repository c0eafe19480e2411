/**
 * Models of one's own, from `models:` in `gesso.yaml`: any model behind an OpenAI-compatible server. What it
 * understands is what the operator says it does; everything else is refused by name rather than passed on blindly.
 */
import { z } from 'zod'
import { oneOf, text, wholeNumber, wordList } from '../lib/setting.ts'
import { type FieldName, fieldCatalogue, fieldNames, type Size } from './fields.ts'
import type { FieldRule, Model } from './model.ts'

const optionalFields = fieldNames.filter((name) => name !== 'n' && name !== 'size' && name !== 'outputFormat')
const supportsExpected = `a list of ${optionalFields.map((name) => fieldCatalogue[name].publicName).join(', ')}`
const publicToField = new Map<string, FieldName>(
  optionalFields.map((name) => [fieldCatalogue[name].publicName, name]),
)

export const configuredModel = z.strictObject({
  id: z
    .string({ error: 'a model id' })
    .regex(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/, { error: 'up to 128 letters, digits and . _ : / -' }),
  /** A provider's id. */
  provider: text("a provider's id, such as openai"),
  /** The model in the provider's words; absent = the id. */
  upstream_model: text().optional(),
  /** How the upstream speaks: like GPT Image, or like the older API that many servers copy. */
  dialect: oneOf(['openai-compatible', 'gpt-image']).default('openai-compatible'),
  aliases: wordList().default([]),
  description: text().default('A model of this server.'),
  /** The optional fields the upstream understands. */
  supports: wordList(supportsExpected)
    .refine((names) => names.every((name) => publicToField.has(name)), { error: supportsExpected })
    .default([]),
  /** The sizes it draws, as `WxH`; absent = any from 64 to 4096. */
  sizes: wordList('a list of sizes such as 1024x1024')
    .refine((sizes) => sizes.every((size) => /^[1-9]\d{0,4}x[1-9]\d{0,4}$/.test(size)), {
      error: 'a list of sizes such as 1024x1024',
    })
    .optional(),
  max_n: wholeNumber({ min: 1, max: 10 }).default(10),
  prompt_characters: wholeNumber({ min: 1, max: 1_000_000 }).default(32_000),
})

export type ConfiguredModel = z.infer<typeof configuredModel>

/** The catalogue entry of a model of one's own. */
export function fromConfiguration(configured: ConfiguredModel): Model {
  const supported = new Set<FieldName | undefined>(configured.supports.map((name) => publicToField.get(name)))
  const rule = (name: FieldName): FieldRule => ({ support: supported.has(name) ? 'native' : 'unsupported' })
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
      },
    ],
    promptCharacters: configured.prompt_characters,
    fields: {
      n: { support: 'native', range: { min: 1, max: configured.max_n }, default: 1 },
      size: {
        support: 'native',
        sizes: configured.sizes
          ? { kind: 'list', sizes: configured.sizes.map(parseSize) }
          : { kind: 'range', minEdge: 64, maxEdge: 4096 },
      },
      quality: rule('quality'),
      style: rule('style'),
      background: rule('background'),
      moderation: rule('moderation'),
      // A server that ignores the wish is no harm: Gesso converts what it gets.
      outputFormat: { support: 'emulated', values: ['png', 'jpeg', 'webp', 'avif'] },
      outputCompression: { support: 'emulated', range: { min: 0, max: 100 } },
      seed: rule('seed'),
      negativePrompt: rule('negativePrompt'),
      safetyIdentifier: rule('safetyIdentifier'),
    },
  }
}

function parseSize(text: string): Size {
  const [width = 0, height = 0] = text.split('x').map(Number)
  return { width, height }
}
