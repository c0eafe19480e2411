/**
 * What Azure OpenAI serves, each model in a deployment of the operator's own: limits of Microsoft's "Azure OpenAI image
 * generation models", read 2026-11-20. Its price page names no amount before one signs in (read 2026-11-21), and what it
 * charges depends on region and contract: a price is for `prices:` in `gesso.yaml` to say.
 */
import { fieldTable, native } from '../../field-table.ts'
import type { ModelRoute } from '../../model.ts'
import type { SizeRule } from '../../size-rule.ts'
import type { RouteTable } from '../identity.ts'
import { retiredRoutes } from './openai-retired.ts'
import { anySize, threeSizes } from './openai-sizes.ts'

const threeQualities = ['low', 'medium', 'high'] as const
const fiveQualities = [...threeQualities, 'xhigh', 'max'] as const

/** No `moderation`: a deployment has content filters of its own. The end user is `user` there. */
const shared = { safetyIdentifier: { support: 'renamed' } } as const
/** No WebP. Compression means the opposite of OpenAI's there, so Gesso does it. */
const formats = { outputFormat: { support: 'native', values: ['png', 'jpeg'], default: 'png' } } as const

function deployed(options: {
  id: string
  sizes: SizeRule
  qualities?: readonly string[]
  /** What it draws where nobody says a quality. */
  quality?: 'medium' | 'high'
  fidelities?: readonly string[]
}): ModelRoute {
  const { id, sizes, qualities = threeQualities, quality = 'high', fidelities } = options
  return {
    provider: 'azure',
    upstreamModel: id,
    promptCharacters: 32_000,
    imagesPerCall: 10,
    streams: true,
    fields: fieldTable({
      ...shared,
      ...formats,
      size: { support: 'native', sizes, default: 'auto' },
      quality: { support: 'converted', values: qualities, default: quality },
      background: { support: 'native', values: ['transparent', 'opaque', 'auto'], default: 'auto' },
      images: { support: 'native', range: { min: 1, max: 16 } },
      mask: native,
      ...(fidelities ? { inputFidelity: { support: 'native', values: fidelities, default: 'low' } } : {}),
    }),
  }
}

export const azureRoutes: RouteTable = {
  'gpt-image-2': deployed({ id: 'gpt-image-2', sizes: anySize }),
  'gpt-image-2.5-sunburst': deployed({
    id: 'gpt-image-2.5-sunburst',
    sizes: anySize,
    qualities: fiveQualities,
  }),
  'gpt-image-2.5-flare': deployed({ id: 'gpt-image-2.5-flare', sizes: anySize, qualities: fiveQualities }),
  'gpt-image-1.5': deployed({ id: 'gpt-image-1.5', sizes: threeSizes, fidelities: ['low', 'high'] }),
  'gpt-image-1-mini': deployed({ id: 'gpt-image-1-mini', sizes: threeSizes, quality: 'medium' }),
  ...retiredRoutes({
    route: { provider: 'azure', upstreamModel: 'gpt-image-2', imagesPerCall: 10 },
    shared,
    formats,
    quality: { support: 'converted', values: threeQualities, default: 'high' },
  }),
}
