import { afterEach } from 'vitest'
import { fakeFalKey, startFakeFal } from '../../../test/upstreams/fal.ts'
import { RecordedFile } from '../../../test/upstreams/recorded-file.ts'
import { type ConformanceWorld, describeProviderConformance } from '../testing/conformance.ts'
import { closeOpened, connect, requestFor } from './testing/scripted-fal.ts'

afterEach(closeOpened)

async function conformanceWorld(model: string, maxImagesPerCall: number): Promise<ConformanceWorld> {
  const fake = await startFakeFal({ echo: true, otherSize: { width: 64, height: 64 } })
  const open = () => connect(fake.url, { apiKey: fakeFalKey, timeoutMs: 1_000 })
  const submission = () => fake.requests.findLast(({ method }) => method === 'POST')
  return {
    provider: open(),
    reopen: open,
    request: (overrides) => requestFor({ model, ...overrides }),
    upstream: {
      play: fake.play,
      submissions: fake.submissions,
      cancellations: fake.cancellations,
      foreignRequests: () => fake.foreignRequests.length,
      lastSubmission: () => [submission()?.path, submission()?.body],
      lastInputs: () => inputsOf(submission()?.body),
    },
    apiKey: fakeFalKey,
    // The seed of a single picture is reported; that of the second one nobody knows.
    reportsSeed: maxImagesPerCall === 1,
    maxImagesPerCall,
    failsPartly: maxImagesPerCall > 1,
    close: fake.close,
  }
}

function inputsOf(body: unknown): { images: string[]; mask?: string } {
  const { image_url, image_urls, mask_url } = (body ?? {}) as Record<string, RecordedFile>
  const images = [image_url, image_urls].flat().filter((file) => file instanceof RecordedFile)
  return { images: images.map(({ sha256 }) => sha256), ...(mask_url ? { mask: mask_url.sha256 } : {}) }
}

describeProviderConformance('fal, FLUX.2', () => conformanceWorld('fal-ai/flux-2-pro', 1))
describeProviderConformance('fal, Kontext', () => conformanceWorld('fal-ai/flux-pro/kontext', 4))
