/**
 * FLUX by Black Forest Labs: fields and limits as in the vendor's API and on Replicate, read 2026-11-20. A prompt
 * may have 4,000 characters, as the services that resell these models have it.
 */
import { fieldTable, native } from '../field-table.ts'
import type { FieldTable, Model } from '../model.ts'
import type { SizeRule } from '../size-rule.ts'

const sizes = (multipleOf: number): SizeRule => ({ kind: 'range', minEdge: 256, maxEdge: 1440, multipleOf })
const seed = { support: 'native', range: { min: 0, max: 4_294_967_295 } } as const
const outputFormat = { support: 'native', values: ['png', 'jpeg', 'webp'], default: 'webp' } as const
const oneImage = { support: 'renamed', range: { min: 1, max: 1 } } as const

function flux(id: string, created: number, description: string, fields: FieldTable): Model {
  return {
    id,
    aliases: [],
    ownedBy: 'black-forest-labs',
    created,
    description,
    routes: [],
    promptCharacters: 4_000,
    imagesPerCall: 1,
    fields,
  }
}

export const fluxModels: readonly Model[] = [
  flux(
    'flux-1.1-pro',
    1_727_827_200,
    'FLUX 1.1 [pro]: high quality, quick.',
    fieldTable({
      size: { support: 'native', sizes: sizes(32), default: '1024x1024' },
      seed,
      outputFormat,
      outputCompression: { support: 'native', range: { min: 0, max: 100 } },
      images: oneImage,
    }),
  ),
  flux(
    'flux-1.1-pro-ultra',
    1_730_851_200,
    'FLUX 1.1 [pro] ultra: four megapixels, by aspect ratio.',
    fieldTable({
      aspectRatio: {
        support: 'native',
        values: ['21:9', '16:9', '3:2', '4:3', '5:4', '1:1', '4:5', '3:4', '2:3', '9:16', '9:21'],
        default: '1:1',
      },
      imageSize: { support: 'unsupported' },
      seed,
      outputFormat: { support: 'native', values: ['png', 'jpeg'], default: 'jpeg' },
      images: oneImage,
      strength: { support: 'renamed', range: { min: 0, max: 1 } },
    }),
  ),
  flux(
    'flux-pro',
    1_722_470_400,
    'FLUX.1 [pro].',
    fieldTable({
      size: { support: 'native', sizes: sizes(32), default: '1024x1024' },
      seed,
      guidance: { support: 'native', range: { min: 1.5, max: 5 } },
      steps: { support: 'renamed', range: { min: 1, max: 50 } },
      outputFormat,
      outputCompression: { support: 'native', range: { min: 0, max: 100 } },
      images: oneImage,
    }),
  ),
  {
    ...flux(
      'flux-1-schnell',
      1_722_470_400,
      'FLUX.1 [schnell]: the quickest one.',
      fieldTable({
        size: { support: 'native', sizes: sizes(16), default: '1024x1024' },
        seed,
        steps: { support: 'native', range: { min: 1, max: 4 } },
        goFast: native,
        disableSafetyChecker: native,
        outputFormat,
        outputCompression: { support: 'native', range: { min: 0, max: 100 } },
      }),
    ),
    imagesPerCall: 4,
  },
]
