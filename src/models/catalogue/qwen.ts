/**
 * Qwen-Image and Z-Image by Alibaba: fields and limits as in DashScope's reference and on Replicate, read 2026-11-20.
 */
import { fieldTable, native } from '../field-table.ts'
import type { FieldTable, Model } from '../model.ts'

const outputFormat = { support: 'native', values: ['png', 'jpeg', 'webp'], default: 'webp' } as const
const outputCompression = { support: 'native', range: { min: 0, max: 100 } } as const
const loraScale = { support: 'native', range: { min: -3, max: 3 }, default: 1 } as const

function qwen(options: {
  id: string
  created: number
  description: string
  imagesPerCall: number
  fields: FieldTable
}): Model {
  return { ...options, aliases: [], ownedBy: 'alibaba', routes: [], promptCharacters: 4_000 }
}

export const qwenModels: readonly Model[] = [
  qwen({
    id: 'qwen-image',
    created: 1_754_265_600,
    description: 'Qwen-Image: strong at text in pictures.',
    imagesPerCall: 1,
    fields: fieldTable({
      size: {
        support: 'native',
        sizes: {
          kind: 'list',
          sizes: [
            { width: 1664, height: 928 },
            { width: 1472, height: 1104 },
            { width: 1328, height: 1328 },
            { width: 1104, height: 1472 },
            { width: 928, height: 1664 },
          ],
        },
        default: '1664x928',
      },
      imageSize: { support: 'native', values: ['optimize_for_quality', 'optimize_for_speed'] },
      seed: { support: 'native', range: { min: 0, max: 2_147_483_647 } },
      negativePrompt: native,
      guidance: { support: 'native', range: { min: 0, max: 10 }, default: 3 },
      steps: { support: 'native', range: { min: 1, max: 50 }, default: 30 },
      strength: { support: 'native', range: { min: 0, max: 1 } },
      goFast: { support: 'native', default: true },
      disableSafetyChecker: { support: 'native', default: false },
      loraWeights: native,
      loraScale,
      extraLoraWeights: native,
      extraLoraScale: loraScale,
      images: { support: 'native', range: { min: 1, max: 1 } },
      outputFormat,
      outputCompression: { support: 'renamed', range: { min: 0, max: 100 }, default: 80 },
    }),
  }),
  qwen({
    id: 'qwen-image-2.0',
    created: 1_770_681_600,
    description: 'Qwen-Image 2.0: generations, and edits of up to three pictures.',
    imagesPerCall: 6,
    fields: fieldTable({
      size: {
        support: 'converted',
        sizes: { kind: 'range', minEdge: 128, maxEdge: 4096, minPixels: 512 ** 2, maxPixels: 2048 ** 2 },
        default: '2048x2048',
      },
      seed: { support: 'native', range: { min: 0, max: 2_147_483_647 } },
      negativePrompt: native,
      images: { support: 'native', range: { min: 1, max: 3 } },
      watermark: { support: 'native', default: false },
    }),
  }),
  qwen({
    id: 'z-image-turbo',
    created: 1_764_115_200,
    description: 'Z-Image-Turbo: quick previews.',
    imagesPerCall: 1,
    fields: fieldTable({
      size: {
        support: 'native',
        sizes: { kind: 'range', minEdge: 64, maxEdge: 2048, multipleOf: 16 },
        default: '1024x1024',
      },
      seed: { support: 'native', range: { min: 0, max: 2_147_483_647 } },
      guidance: { support: 'renamed', range: { min: 0, max: 20 }, default: 0 },
      steps: { support: 'native', range: { min: 1, max: 50 }, default: 8 },
      outputFormat,
      outputCompression,
    }),
  }),
]
