/**
 * OpenAI's image models: limits of its Images API reference and of the `openai` SDK's types, read 2026-11-20.
 */
import { fieldTable, native } from '../field-table.ts'
import type { Model } from '../model.ts'
import type { SizeRule } from '../size-rule.ts'

export const threeSizes: SizeRule = {
  kind: 'list',
  sizes: [
    { width: 1024, height: 1024 },
    { width: 1536, height: 1024 },
    { width: 1024, height: 1536 },
  ],
}

/** Both edges multiples of 16, at most 3:1, 655,360 to 8,294,400 pixels. */
const anySize: SizeRule = {
  kind: 'range',
  minEdge: 16,
  maxEdge: 3840,
  multipleOf: 16,
  minPixels: 655_360,
  maxPixels: 8_294_400,
  maxRatio: 3,
}

const fourQualities = ['auto', 'low', 'medium', 'high'] as const
const sixQualities = [...fourQualities, 'xhigh', 'max'] as const

function gptImage(options: {
  id: string
  aliases?: readonly string[]
  created: number
  description: string
  sizes: SizeRule
  qualities: readonly string[]
  /** The words of input_fidelity; absent where the model is told none. */
  fidelities?: readonly string[]
}): Model {
  return {
    id: options.id,
    aliases: options.aliases ?? [],
    ownedBy: 'openai',
    created: options.created,
    description: options.description,
    routes: [{ provider: 'openai', upstreamModel: options.id, dialect: 'gpt-image' }],
    promptCharacters: 32_000,
    imagesPerCall: 10,
    fields: fieldTable({
      size: { support: 'native', sizes: options.sizes, default: 'auto' },
      quality: { support: 'converted', values: options.qualities, default: 'auto' },
      background: { support: 'native', values: ['transparent', 'opaque', 'auto'], default: 'auto' },
      moderation: { support: 'native', values: ['auto', 'low'], default: 'auto' },
      outputFormat: { support: 'native', values: ['png', 'jpeg', 'webp'], default: 'png' },
      outputCompression: { support: 'native', range: { min: 0, max: 100 } },
      images: { support: 'native', range: { min: 1, max: 16 } },
      mask: native,
      ...(options.fidelities
        ? { inputFidelity: { support: 'native', values: options.fidelities, default: 'low' } }
        : {}),
      safetyIdentifier: native,
    }),
  }
}

export const openAiModels: readonly Model[] = [
  gptImage({
    id: 'gpt-image-2.6-sunburst',
    created: 1_793_491_200,
    description: 'OpenAI GPT Image 2.6, the larger one.',
    sizes: anySize,
    qualities: sixQualities,
  }),
  gptImage({
    id: 'gpt-image-2.6-flare',
    created: 1_793_491_200,
    description: 'OpenAI GPT Image 2.6, the faster one.',
    sizes: anySize,
    qualities: sixQualities,
  }),
  gptImage({
    id: 'gpt-image-2',
    aliases: ['gpt-image-2-2026-04-21'],
    created: 1_776_729_600,
    description: 'OpenAI GPT Image 2: any size, generations and edits.',
    sizes: anySize,
    qualities: fourQualities,
  }),
  gptImage({
    id: 'gpt-image-2.5-sunburst',
    aliases: ['gpt-image-2.5-sunburst-2026-09-08'],
    created: 1_788_825_600,
    description: 'OpenAI GPT Image 2.5, the larger one.',
    sizes: anySize,
    qualities: sixQualities,
  }),
  gptImage({
    id: 'gpt-image-2.5-flare',
    aliases: ['gpt-image-2.5-flare-2026-09-08'],
    created: 1_788_825_600,
    description: 'OpenAI GPT Image 2.5, the faster one.',
    sizes: anySize,
    qualities: sixQualities,
  }),
  gptImage({
    id: 'gpt-image-1.5',
    created: 1_765_843_200,
    description: 'OpenAI GPT Image 1.5.',
    sizes: threeSizes,
    qualities: fourQualities,
    fidelities: ['low', 'high'],
  }),
  gptImage({
    id: 'gpt-image-1-mini',
    created: 1_759_708_800,
    description: 'OpenAI GPT Image 1 mini.',
    sizes: threeSizes,
    qualities: fourQualities,
    fidelities: ['low'],
  }),
  gptImage({
    id: 'chatgpt-image-latest',
    created: 1_765_843_200,
    description: 'The image model that ChatGPT uses today.',
    sizes: threeSizes,
    qualities: fourQualities,
  }),
]
