import {
  type FakeReplicateOptions,
  fakeReplicateKey,
  startFakeReplicate,
} from '../../../test/upstreams/replicate.ts'
import { createProviderHttp } from '../http.ts'
import type { ProviderRequest } from '../provider.ts'
import { type ConformanceWorld, describeProviderConformance } from '../testing/conformance.ts'
import { replicate } from './replicate.ts'

async function conformanceWorld(
  model: string,
  special: Pick<ConformanceWorld, 'reportsSeed' | 'maxImagesPerCall' | 'failsPartly'>,
  options: FakeReplicateOptions = {},
): Promise<ConformanceWorld> {
  const otherSize = { width: 256, height: 256 }
  const upstream = await startFakeReplicate({ echo: true, otherSize, ...options })
  const http = createProviderHttp()
  const settings = {
    baseUrl: upstream.url,
    timeoutMs: 1_000,
    maxResponseBytes: 1e6,
  }
  const open = (apiKey = fakeReplicateKey) =>
    replicate.create(
      { ...settings, apiKey },
      { http, rasterise: () => Promise.reject(new Error('not used')) },
    )
  const submissions = () =>
    upstream.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('predictions'))
  return {
    provider: open(),
    reopen: open,
    withKey: open,
    request: (overrides): ProviderRequest => ({
      taskId: 'image_1',
      model,
      prompt: 'a heron at dawn',
      n: 1,
      ...overrides,
    }),
    upstream: {
      play: upstream.play,
      submissions: upstream.submissions,
      cancellations: upstream.cancellations,
      foreignRequests: () => upstream.foreignRequests.length,
      lastSubmission: () => [submissions().at(-1)?.path, submissions().at(-1)?.body],
      lastInputs: () => ({ images: upstream.lastPictures() }),
    },
    apiKey: fakeReplicateKey,
    ...special,
    close: async () => {
      await Promise.all([upstream.close(), http.close()])
    },
  }
}

describeProviderConformance('replicate, one picture at a time', () =>
  conformanceWorld('black-forest-labs/flux-2-flex', { reportsSeed: true, maxImagesPerCall: 1 }),
)
describeProviderConformance('replicate, several pictures at once', () =>
  conformanceWorld('replicate/qwen-image-2.1-lora', {
    reportsSeed: false,
    maxImagesPerCall: 4,
    failsPartly: true,
  }),
)
