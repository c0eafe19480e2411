import { afterEach } from 'vitest'
import { fakeDashScopeKey, startFakeDashScope } from '../../../test/upstreams/dashscope.ts'
import { RecordedFile } from '../../../test/upstreams/recorded-file.ts'
import type { InputImage, ProviderRequest } from '../provider.ts'
import { type ConformanceWorld, describeProviderConformance } from '../testing/conformance.ts'
import { openSampleInputs } from '../testing/sample-inputs.ts'
import { closeOpened, connect, requestFor } from './testing/connect.ts'

afterEach(closeOpened)

interface Protocol {
  model: string
  maxImagesPerCall: number
  /** Does the model answer with a task? */
  isAsync: boolean
  /** Absent where the model takes no pictures; a picture where it wants one. */
  images?: 'optional' | InputImage
}

async function conformanceWorld(protocol: Protocol): Promise<ConformanceWorld> {
  const upstream = await startFakeDashScope({ echo: true, otherSize: { width: 256, height: 256 } })
  const { model, maxImagesPerCall, isAsync, images } = protocol
  const provider = connect(upstream.url, fakeDashScopeKey)
  const submissions = () => upstream.requests.filter(({ path }) => path.includes('/services/'))
  const request = (overrides?: Partial<ProviderRequest>) =>
    requestFor({ model, ...(typeof images === 'object' ? { images: [images] } : {}), ...overrides })
  return {
    provider: {
      ...provider,
      ...(images ? {} : { inputs: undefined }),
      // A call that answers at once leaves nothing to stop.
      ...(isAsync ? {} : { cancel: undefined }),
    },
    ...(isAsync ? { reopen: () => connect(upstream.url, fakeDashScopeKey) } : {}),
    withKey: (key) => connect(upstream.url, key),
    request,
    upstream: {
      play: upstream.play,
      submissions: upstream.submissions,
      cancellations: upstream.cancellations,
      foreignRequests: () => upstream.foreignRequests.length,
      lastSubmission: () => [submissions().at(-1)?.path, submissions().at(-1)?.body],
      lastInputs: () => ({ images: filesIn(submissions().at(-1)?.body).map(({ sha256 }) => sha256) }),
    },
    apiKey: fakeDashScopeKey,
    reportsSeed: false,
    maxImagesPerCall,
    failsPartly: maxImagesPerCall > 1,
    close: upstream.close,
  }
}

/** The pictures of a body, in their order, wherever they stand in it. */
function filesIn(value: unknown): RecordedFile[] {
  if (value instanceof RecordedFile) return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(filesIn)
}

const inputs = await openSampleInputs()

const protocols: Record<string, Protocol> = {
  messages: { model: 'qwen-image-2.0-pro', maxImagesPerCall: 6, isAsync: false, images: 'optional' },
  text2image: { model: 'wan2.5-t2i-preview', maxImagesPerCall: 4, isAsync: true },
  'image-generation': { model: 'wan2.7-image-pro', maxImagesPerCall: 4, isAsync: true, images: 'optional' },
  image2image: {
    model: 'wan2.5-i2i-preview',
    maxImagesPerCall: 4,
    isAsync: true,
    images: inputs.picture('image/png'),
  },
}

for (const [name, protocol] of Object.entries(protocols))
  describeProviderConformance(`dashscope, ${name}`, () => conformanceWorld(protocol))
