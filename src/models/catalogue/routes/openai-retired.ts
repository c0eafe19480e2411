/**
 * Ids that OpenAI has closed and old clients still send. GPT Image 2 draws in their place; towards the client they
 * keep the limits and defaults they had (OpenAI's Images API reference as of 2025, read 2026-11-20).
 */
import { fieldTable, native } from '../../field-table.ts'
import type { FieldTable, ModelRoute } from '../../model.ts'
import type { RouteTable } from '../identity.ts'
import { threeSizes } from './openai-sizes.ts'

const square = { width: 1024, height: 1024 }

/** What differs between those who serve the successor. */
interface RetiredServing {
  route: Omit<ModelRoute, 'promptCharacters' | 'fields' | 'streams'>
  /** What all of them get from their successor, whether they had it or not: it costs the client nothing. */
  shared: Partial<FieldTable>
  /** The file formats, for the one that knew any. */
  formats: Partial<FieldTable>
  /** The qualities of the successor, and which of them it draws by itself. */
  quality: FieldTable['quality']
}

/** The routes of the retired ids at whoever serves their successor. */
export function retiredRoutes({ route, shared, formats, quality }: RetiredServing): RouteTable {
  return {
    'gpt-image-1': {
      ...route,
      streams: true,
      promptCharacters: 32_000,
      fields: fieldTable({
        ...shared,
        size: { support: 'native', sizes: threeSizes, default: 'auto' },
        quality,
        background: { support: 'native', values: ['transparent', 'opaque', 'auto'], default: 'auto' },
        ...formats,
        images: { support: 'native', range: { min: 1, max: 16 } },
        mask: native,
      }),
    },
    'dall-e-3': {
      ...route,
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
    },
    'dall-e-2': {
      ...route,
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
    },
  }
}
