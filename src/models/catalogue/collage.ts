/** The built-in illustrator: always on, no key, no network. It draws from artwork and is no neural network. */
import type { Model } from '../model.ts'

export const collageModels: readonly Model[] = [
  {
    id: 'gesso-collage',
    aliases: [],
    ownedBy: 'gesso',
    created: 1_795_132_800,
    description:
      'A deterministic illustrator that draws what the prompt names from open-licensed artwork. It is no neural network: use it for first runs, demos and tests.',
    routes: [{ provider: 'collage', upstreamModel: 'gesso-collage' }],
    promptCharacters: 32_000,
    fields: {
      n: { support: 'native', range: { min: 1, max: 10 }, default: 1 },
      size: { support: 'native', sizes: { kind: 'range', minEdge: 64, maxEdge: 4096 }, default: '1024x1024' },
      quality: {
        support: 'native',
        values: ['auto', 'low', 'medium', 'high', 'xhigh', 'max', 'standard', 'hd'],
        default: 'auto',
      },
      style: { support: 'native', values: ['vivid', 'natural'] },
      background: { support: 'native', values: ['transparent', 'opaque', 'auto'], default: 'auto' },
      moderation: { support: 'native', values: ['auto', 'low'], default: 'auto' },
      outputFormat: { support: 'emulated', values: ['png', 'jpeg', 'webp', 'avif'], default: 'png' },
      outputCompression: { support: 'emulated', range: { min: 0, max: 100 } },
      seed: { support: 'native', range: { min: 0, max: 4_294_967_295 } },
      negativePrompt: { support: 'native' },
      safetyIdentifier: { support: 'native' },
    },
  },
]
