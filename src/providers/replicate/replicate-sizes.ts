/**
 * Models that take a ratio and a class of resolution, and draw each pair in one size: the pixels, and how they are asked
 * for. Sizes of the open FLUX models as in the source that Replicate runs (`replicate/cog-flux`, predict.py), those of
 * Qwen-Image as in its own documentation; both read 2026-11-20.
 */
import type { ProviderRequest } from '../provider.ts'
import { unsupported } from '../wire-fields.ts'
import { cogFluxPixels } from './replicate-pixels.ts'

type Size = NonNullable<ProviderRequest['size']>

/** A quarter of a megapixel has half the edges. */
const cogFluxClasses = [
  { megapixels: '1', divisor: 1 },
  { megapixels: '0.25', divisor: 2 },
]

const cogFluxSizes = new Map(
  Object.entries(cogFluxPixels).flatMap(([aspect_ratio, { width, height }]) =>
    cogFluxClasses.map(
      ({ megapixels, divisor }) =>
        [
          sizeText({ width: width / divisor, height: height / divisor }),
          { aspect_ratio, megapixels },
        ] as const,
    ),
  ),
)

const cogFluxMegapixels: Readonly<Record<string, string>> = { '512': '0.25', '1K': '1' }

export const ofCogFlux = {
  size: (size: Size, { model }: ProviderRequest): Record<string, unknown> =>
    sayListed(cogFluxSizes, size, model),
  aspectRatio: (aspect_ratio: string): Record<string, unknown> => ({ aspect_ratio }),
  imageSize: (imageSize: string, { size, model }: ProviderRequest): Record<string, unknown> => {
    if (size) throw unsupported('image_size', 'Replicate takes no other resolution beside size')
    const megapixels = cogFluxMegapixels[imageSize]
    if (megapixels) return { megapixels }
    throw unsupported('image_size', `Replicate takes 512 and 1K with ${model}`)
  },
}

const qwenSizes = new Map(
  Object.entries({
    '1664x928': '16:9',
    '1472x1104': '4:3',
    '1328x1328': '1:1',
    '1104x1472': '3:4',
    '928x1664': '9:16',
  }).map(([size, aspect_ratio]) => [size, { aspect_ratio }]),
)

const qwenClasses = ['optimize_for_quality', 'optimize_for_speed']

export const ofQwen = {
  // These are the sizes of the good pictures; who asks for quick ones is asked to be scaled up to them.
  size: (
    size: Size,
    { model, imageSize: image_size = 'optimize_for_quality' }: ProviderRequest,
  ): Record<string, unknown> => ({ ...sayListed(qwenSizes, size, model), image_size }),
  aspectRatio: 'aspect_ratio',
  imageSize: (image_size: string, { model }: ProviderRequest): Record<string, unknown> => {
    if (qwenClasses.includes(image_size)) return { image_size }
    throw unsupported('image_size', `Replicate takes ${qwenClasses.join(' and ')} with ${model}`)
  },
} as const

function sayListed<Said>(sizes: ReadonlyMap<string, Said>, size: Size, model: string): Said {
  const said = sizes.get(sizeText(size))
  if (said) return said
  const allowed = [...sizes.keys()].join(', ')
  throw unsupported('size', `Replicate draws ${allowed} with ${model}, not ${sizeText(size)}`)
}

function sizeText({ width, height }: Size): string {
  return `${width}x${height}`
}
