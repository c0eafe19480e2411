/** What the illustrator's tests draw with: the real provider with the real rasteriser, and a look at the pixels. */
import { Readable } from 'node:stream'
import sharp from 'sharp'
import { rasterise } from '../../../media/rasterise.ts'
import type { InputImage, Provider, ProviderImage, ProviderRequest } from '../../provider.ts'
import { collage } from '../collage.ts'

export const SMALL = { width: 256, height: 256 }

/** The SVG documents that were rasterised, oldest first. */
export const documents: string[] = []

export const provider: Provider = collage.create(
  { timeoutMs: 1_000, maxResponseBytes: 1_000 },
  {
    http: undefined as never,
    rasterise: (svg, size) => {
      documents.push(svg)
      return rasterise(svg, size)
    },
  },
)

/** All pictures of a request: seed 1 and 256 x 256 unless `more` says otherwise. */
export async function start(prompt: string, more: Partial<ProviderRequest> = {}): Promise<ProviderImage[]> {
  const request = { taskId: 'image_1', model: 'gesso-collage', n: 1, seed: 1, size: SMALL, prompt, ...more }
  const outcome = await provider.start(request, new AbortController().signal)
  return outcome.status === 'completed' ? outcome.images : []
}

/** The PNG bytes of a picture. */
export function bytesOf(image: ProviderImage | undefined): Buffer {
  if (image?.source.kind !== 'bytes') throw new Error('the collage must answer with bytes')
  return image.source.bytes
}

/** The first picture of a request. */
export async function draw(prompt: string, more: Partial<ProviderRequest> = {}): Promise<Buffer> {
  return bytesOf((await start(prompt, more))[0])
}

export interface Pixels {
  at(x: number, y: number): [r: number, g: number, b: number, a: number]
  share(test: (r: number, g: number, b: number, a: number) => boolean): number
}

export async function pixelsOf(png: Buffer): Promise<Pixels> {
  const { data, info } = await sharp(png).ensureAlpha().raw().toBuffer({ resolveWithObject: true })
  const pixel = (at: number) => Array.from(data.subarray(at, at + 4)) as [number, number, number, number]
  return {
    at: (x, y) => pixel((y * info.width + x) * 4),
    share: (test) => {
      let count = 0
      for (let at = 0; at < data.length; at += 4) {
        if (test(data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0, data[at + 3] ?? 0)) count++
      }
      return (count * 4) / data.length
    },
  }
}

/** Bytes as Gesso hands them to a provider; `reads` counts how often they were asked for. */
export async function inputOf(
  bytes: Buffer,
  mediaType: InputImage['mediaType'] = 'image/png',
): Promise<InputImage & { reads: number }> {
  const { width, height } = await sharp(bytes).metadata()
  const input = {
    mediaType,
    width,
    height,
    sizeBytes: bytes.length,
    reads: 0,
    read: async () => {
      input.reads++
      return bytes
    },
    stream: () => Readable.from([bytes]),
  }
  return input
}

/** A picture of one colour. */
export async function plainBytes(colour: string, size = SMALL): Promise<Buffer> {
  return await sharp({ create: { ...size, channels: 4, background: colour } })
    .png()
    .toBuffer()
}

export const plain = async (colour: string, size = SMALL) => inputOf(await plainBytes(colour, size))
