/**
 * The built-in illustrator: answers the model `gesso-collage` with pictures composed from emoji artwork.
 *
 * It exists so that Gesso draws something good the minute it starts, without a key, a network or a GPU. It is
 * no neural network and never pretends to be one; it sends nothing anywhere, and the prompt's text never
 * becomes part of the SVG.
 */
import { randomInt } from 'node:crypto'
import { createLane } from '../../lib/lane.ts'
import type {
  Provider,
  ProviderDefinition,
  ProviderDependencies,
  ProviderImage,
  ProviderOutcome,
  ProviderRequest,
  Watching,
} from '../provider.ts'
import { type Artwork, loadArtwork } from './artwork.ts'
import { compose } from './compose.ts'
import { draftsFor } from './draft.ts'
import { changeableArea } from './mask-area.ts'
import type { Order } from './order.ts'
import { pixelate } from './pixelate.ts'
import { readPictures } from './read-pictures.ts'
import { readPrompt } from './read-prompt.ts'
import { READABLE, refuseAborted, refuseUnsupported } from './refuse.ts'
import { LONGEST_SERIES, momentsOf } from './series.ts'
import { sizeOf } from './size-of.ts'
import { createVocabulary, type Vocabulary } from './vocabulary.ts'
import { readWishes } from './wishes.ts'

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
  // An edit holds its pictures as text in its SVG; those that only wait for their turn should not.
  const edits = createLane({ concurrency: 2 })

  async function work(
    request: ProviderRequest,
    signal: AbortSignal,
    watching: Watching | undefined,
  ): Promise<ProviderOutcome> {
    refuseAborted(signal)
    const { artwork, vocabulary } = await open()
    const order = await takeOrder(request, artwork, vocabulary, rasterise, signal)
    const images: ProviderImage[] = []
    for (const [position, next] of ordersFor(request, order, randomInt(SEEDS)).entries()) {
      if (watching) await showDrafts(next, position, watching, artwork, signal)
      refuseAborted(signal)
      const bytes = await draw(next, artwork, rasterise)
      images.push({ source: { kind: 'bytes', bytes }, seed: next.seed })
    }
    return { status: 'completed', images }
  }

  /** Draws and tells the earlier stages of one picture, each as soon as it is there. */
  async function showDrafts(
    order: Order,
    position: number,
    { partialImages, onPartial }: Watching,
    artwork: Artwork,
    signal: AbortSignal,
  ): Promise<void> {
    for (const [index, draft] of draftsFor(partialImages).entries()) {
      refuseAborted(signal)
      const bytes = await draw({ ...order, draft }, artwork, rasterise)
      // Nobody is told anything after giving up.
      refuseAborted(signal)
      onPartial({ position, index, bytes })
    }
  }

  async function begin(request: ProviderRequest, signal: AbortSignal, watching?: Watching) {
    refuseUnsupported(request, LONGEST_SERIES)
    const job = () => work(request, signal, watching)
    return request.images?.length ? edits.run(job) : job()
  }

  return {
    id: 'collage',
    inputs: { mediaTypes: READABLE, maxEdge: 2048 },
    start: (request, signal) => begin(request, signal),
    stream: (request, watching, signal) => begin(request, signal, watching),
  }
}

/** What all pictures of a request share. */
async function takeOrder(
  request: ProviderRequest,
  artwork: Artwork,
  vocabulary: Vocabulary,
  rasterise: ProviderDependencies['rasterise'],
  signal: AbortSignal,
): Promise<Omit<Order, 'seed'>> {
  const scene = readPrompt(request.prompt, vocabulary, request.negativePrompt)
  scene.stillLife = (icon) => artwork.isStillLife(icon)
  const { images, mask } = await readPictures(request, rasterise, signal)
  const size = sizeOf(request)
  return {
    scene,
    words: request.prompt,
    size,
    transparent: request.background === 'transparent',
    wishes: readWishes(request),
    images,
    ...(mask ? { mask, area: await changeableArea(mask, size, rasterise) } : {}),
  }
}

/** The single pictures: neighbouring seeds, or the moments of a series, which share one. */
function ordersFor(request: ProviderRequest, order: Omit<Order, 'seed'>, anySeed: number): Order[] {
  const first = request.seed ?? anySeed
  if (request.series) {
    return momentsOf(order, request.series.maxImages).map((moment) => ({ ...order, seed: first, moment }))
  }
  return Array.from({ length: request.n }, (_, index) => ({ ...order, seed: (first + index) % SEEDS }))
}

async function loadLibrary(): Promise<Library> {
  const artwork = await loadArtwork()
  return { artwork, vocabulary: createVocabulary(artwork) }
}

async function draw(
  order: Order,
  artwork: Artwork,
  rasterise: ProviderDependencies['rasterise'],
): Promise<Buffer> {
  if (order.scene.styles.has('pixel') && order.images.length === 0) {
    return await pixelate(order, artwork, rasterise)
  }
  return await rasterise(compose(order, artwork), order.size)
}
