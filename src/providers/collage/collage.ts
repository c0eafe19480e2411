/**
 * The built-in illustrator: answers the model `gesso-collage` with pictures composed from emoji artwork.
 *
 * It exists so that Gesso draws something good the minute it starts, without a key, a network or a GPU. It is
 * no neural network and never pretends to be one; it sends nothing anywhere, and the prompt's text never
 * becomes part of the SVG.
 */
import { randomInt } from 'node:crypto'
import type {
  Provider,
  ProviderDefinition,
  ProviderDependencies,
  ProviderImage,
  ProviderRequest,
} from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { type Artwork, loadArtwork } from './artwork.ts'
import { compose, type Order } from './compose.ts'
import { changeableArea } from './mask-area.ts'
import { pixelate } from './pixelate.ts'
import { readPrompt } from './read-prompt.ts'
import { createVocabulary, type Vocabulary } from './vocabulary.ts'

const DEFAULT_SIZE = { width: 1024, height: 1024 }
const SEEDS = 2 ** 32

/** Registered as `collage`; needs no settings. */
export const collage: ProviderDefinition = {
  id: 'collage',
  title: 'Gesso Collage',
  environment: {},
  create: (_settings, dependencies) => createCollage(dependencies),
}

interface Library {
  artwork: Artwork
  vocabulary: Vocabulary
}

function createCollage({ rasterise }: Pick<ProviderDependencies, 'rasterise'>): Provider {
  let library: Promise<Library> | undefined
  // The artwork is 25 MB on disk, so it is read for the first picture and not before.
  const open = () => (library ??= loadLibrary())
  return {
    id: 'collage',
    start: async (request, signal) => {
      refuseAborted(signal)
      refuseUnreadable(request)
      const { artwork, vocabulary } = await open()
      const scene = readPrompt(request.prompt, vocabulary, request.negativePrompt)
      scene.stillLife = (icon) => artwork.isStillLife(icon)
      const first = request.seed ?? randomInt(SEEDS)
      const images: ProviderImage[] = []
      for (let index = 0; index < request.n; index++) {
        refuseAborted(signal)
        const seed = (first + index) % SEEDS
        images.push({
          source: { kind: 'bytes', bytes: await draw(request, scene, seed, artwork, rasterise) },
          seed,
        })
      }
      return { status: 'completed', images }
    },
  }
}

/** librsvg draws embedded PNG and JPEG and leaves every other format out without a word. */
function refuseUnreadable({ images = [], mask }: ProviderRequest): void {
  for (const image of mask ? [...images, mask] : images) {
    if (image.mediaType === 'image/png' || image.mediaType === 'image/jpeg') continue
    throw new ProviderError({
      code: 'unsupported_image',
      attribution: 'client',
      message: `gesso-collage edits PNG and JPEG pictures; this one is ${image.mediaType}.`,
      param: image === mask ? 'mask' : 'image',
      dispatched: 'no',
    })
  }
}

/** Drawing costs nothing, so what is given up half way was never begun. */
function refuseAborted(signal: AbortSignal): void {
  if (!signal.aborted) return
  throw new ProviderError({
    code: 'upstream_failed',
    attribution: 'client',
    message: 'The request was cancelled before its pictures were drawn.',
    dispatched: 'no',
  })
}

async function loadLibrary(): Promise<Library> {
  const artwork = await loadArtwork()
  return { artwork, vocabulary: createVocabulary(artwork) }
}

async function draw(
  request: ProviderRequest,
  scene: ReturnType<typeof readPrompt>,
  seed: number,
  artwork: Artwork,
  rasterise: ProviderDependencies['rasterise'],
): Promise<Buffer> {
  const size = request.size ?? DEFAULT_SIZE
  const order: Order = {
    scene,
    words: request.prompt,
    seed,
    size,
    transparent: request.background === 'transparent',
    vividness: request.style === 'vivid' ? 1.15 : request.style === 'natural' ? 0.86 : 1,
    images: request.images ?? [],
    mask: request.mask,
  }
  if (order.mask && order.images.length > 0) order.area = await changeableArea(order.mask, rasterise)
  if (scene.styles.has('pixel') && order.images.length === 0) return await pixelate(order, artwork, rasterise)
  return await rasterise(compose(order, artwork), size)
}
