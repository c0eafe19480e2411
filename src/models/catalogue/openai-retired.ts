/**
 * Ids that OpenAI has closed and old clients still send. GPT Image 2 draws in their place; towards the client they
 * keep the limits and defaults they had (OpenAI's Images API reference as of 2025, read 2026-11-20).
 */
import { fieldTable, native } from '../field-table.ts'
import type { FieldTable, Model } from '../model.ts'
import { threeSizes } from './openai.ts'

const successor = 'gpt-image-2'
const square = { width: 1024, height: 1024 }

/** What all of them get from their successor, whether they had it or not: it costs the client nothing. */
const shared = {
  moderation: { support: 'native', values: ['auto', 'low'], default: 'auto' },
  safetyIdentifier: native,
} as const

function retired(options: {
  id: string
  on: string
  created: number
  description: string
  promptCharacters: number
  fields: FieldTable
}): Model {
  const { on, ...rest } = options
  return {
    ...rest,
    aliases: [],
    ownedBy: 'openai',
    routes: [{ provider: 'openai', upstreamModel: successor, dialect: 'gpt-image' }],
    imagesPerCall: 10,
    retired: { on, successor },
  }
}

export const retiredOpenAiModels: readonly Model[] = [
  retired({
    id: 'gpt-image-1',
    on: '2026-10-23',
    created: 1_745_366_400,
    description: 'OpenAI GPT Image 1, closed; GPT Image 2 draws in its place.',
    promptCharacters: 32_000,
    fields: fieldTable({
      ...shared,
      size: { support: 'native', sizes: threeSizes, default: 'auto' },
      quality: { support: 'converted', values: ['auto', 'low', 'medium', 'high'], default: 'auto' },
      background: { support: 'native', values: ['transparent', 'opaque', 'auto'], default: 'auto' },
      outputFormat: { support: 'native', values: ['png', 'jpeg', 'webp'], default: 'png' },
      outputCompression: { support: 'native', range: { min: 0, max: 100 } },
      images: { support: 'native', range: { min: 1, max: 16 } },
      mask: native,
    }),
  }),
  retired({
    id: 'dall-e-3',
    on: '2026-05-12',
    created: 1_698_785_189,
    description: 'OpenAI DALL·E 3, closed; GPT Image 2 draws in its place.',
    promptCharacters: 4_000,
    fields: fieldTable({
      ...shared,
      n: { support: 'native', range: { min: 1, max: 1 }, default: 1 },
      size: {
        support: 'native',
        sizes: {
          kind: 'list',
          sizes: [square, { width: 1792, height: 1024 }, { width: 1024, height: 1792 }],
        },
        default: '1024x1024',
        fill: '1024x1024',
      },
      quality: {
        support: 'converted',
        values: ['standard', 'hd'],
        wire: { standard: 'medium', hd: 'high' },
        default: 'standard',
        fill: 'standard',
      },
    }),
  }),
  retired({
    id: 'dall-e-2',
    on: '2026-05-12',
    created: 1_698_798_177,
    description: 'OpenAI DALL·E 2, closed; GPT Image 2 draws in its place.',
    promptCharacters: 1_000,
    fields: fieldTable({
      ...shared,
      size: {
        support: 'converted',
        sizes: {
          kind: 'list',
          // Smaller than anything the successor draws.
          sizes: [
            { width: 256, height: 256, drawnAs: square },
            { width: 512, height: 512, drawnAs: square },
            square,
          ],
        },
        default: '1024x1024',
        fill: '1024x1024',
      },
      quality: {
        support: 'converted',
        values: ['standard'],
        wire: { standard: 'medium' },
        default: 'standard',
        fill: 'standard',
      },
      images: { support: 'native', range: { min: 1, max: 1 } },
      mask: native,
    }),
  }),
]
