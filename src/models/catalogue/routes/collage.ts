/** What the illustrator understands: every field there is. */
import { fieldTable, native } from '../../field-table.ts'
import { imageSizes } from '../../fields.ts'
import type { RouteTable } from '../identity.ts'

const scale = { min: -4, max: 4 }

export const collageRoutes: RouteTable = {
  'gesso-collage': {
    provider: 'collage',
    upstreamModel: 'gesso-collage',
    promptCharacters: 32_000,
    imagesPerCall: 10,
    streams: true,
    price: {
      items: [{ per: 'image', micros: 0 }],
      asOf: '2026-11-21',
      source: 'drawn on this server',
    },
    fields: fieldTable({
      size: {
        support: 'native',
        sizes: { kind: 'range', minEdge: 64, maxEdge: 4096 },
        default: '1024x1024',
      },
      imageSize: { support: 'converted', values: imageSizes },
      quality: {
        support: 'native',
        values: ['auto', 'low', 'medium', 'high', 'xhigh', 'max', 'standard', 'hd'],
        default: 'auto',
      },
      style: { support: 'native', values: ['vivid', 'natural'] },
      background: { support: 'native', values: ['transparent', 'opaque', 'auto'], default: 'auto' },
      complexity: { support: 'native', values: ['low', 'medium', 'high'] },
      moderation: { support: 'native', values: ['auto', 'low'], default: 'auto' },
      outputFormat: { support: 'emulated', values: ['png', 'jpeg', 'webp', 'avif'], default: 'png' },
      seed: { support: 'native', range: { min: 0, max: 4_294_967_295 } },
      negativePrompt: native,
      guidance: { support: 'native', range: { min: 0, max: 20 } },
      steps: { support: 'native', range: { min: 1, max: 50 } },
      strength: { support: 'native', range: { min: 0, max: 1 } },
      goFast: native,
      disableSafetyChecker: native,
      loraWeights: native,
      loraScale: { support: 'native', range: scale, default: 1 },
      extraLoraWeights: native,
      extraLoraScale: { support: 'native', range: scale },
      images: { support: 'native', range: { min: 1, max: 16 } },
      mask: native,
      markup: native,
      inputFidelity: { support: 'native', values: ['low', 'high'] },
      series: { support: 'native', values: ['disabled', 'auto'], default: 'disabled' },
      safetyIdentifier: native,
    }),
  },
}
