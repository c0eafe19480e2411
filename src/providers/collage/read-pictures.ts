/**
 * The input pictures as addresses that need no network, each read once per request.
 *
 * Nothing is decoded here: the bytes go to the rasteriser as they are. Prints are shown small, so a heavy one is
 * drawn small at once, one after another, and sixteen large pictures are never held together.
 */
import type { InputImage, ProviderDependencies, ProviderRequest } from '../provider.ts'
import { refuseAborted } from './refuse.ts'

/** An input picture in hand. */
export interface Picture {
  dataUrl: string
  width: number
  height: number
}

/** All that a request brings. */
export interface Pictures {
  images: Picture[]
  mask?: Picture
}

/** A further picture of more bytes than this is drawn small before it is kept. */
const HEAVY_BYTES = 400_000
/** Longest edge of such a print: a third of the sheet's short edge is all that is seen of it. */
const PRINT_EDGE = 1_024

/** Reads them in order. The first picture and the mask are kept whole, because they become the result's own pixels; marks become part of the first one. */
export async function readPictures(
  { images = [], mask, markup }: Pick<ProviderRequest, 'images' | 'mask' | 'markup'>,
  rasterise: ProviderDependencies['rasterise'],
  signal: AbortSignal,
): Promise<Pictures> {
  const pictures: Picture[] = []
  for (const [index, image] of images.entries()) {
    refuseAborted(signal)
    const picture = await readPicture(image)
    const isHeavyPrint = index > 0 && image.sizeBytes > HEAVY_BYTES
    pictures.push(isHeavyPrint ? await printOf(picture, rasterise) : picture)
  }
  const [first] = pictures
  if (markup && first) pictures[0] = await laidOver(first, await readPicture(markup), rasterise)
  return { images: pictures, ...(mask ? { mask: await readPicture(mask) } : {}) }
}

async function readPicture(image: InputImage): Promise<Picture> {
  const { mediaType, width, height } = image
  return { dataUrl: dataUrl(mediaType, await image.read()), width, height }
}

/** The picture with what was drawn over it, as one. */
async function laidOver(
  { dataUrl: below, width, height }: Picture,
  { dataUrl: above }: Picture,
  rasterise: ProviderDependencies['rasterise'],
): Promise<Picture> {
  const layer = (href: string) =>
    `<image href="${href}" width="${width}" height="${height}" preserveAspectRatio="none"/>`
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${layer(below)}${layer(above)}</svg>`
  return { dataUrl: dataUrl('image/png', await rasterise(svg, { width, height })), width, height }
}

async function printOf(picture: Picture, rasterise: ProviderDependencies['rasterise']): Promise<Picture> {
  const share = Math.min(1, PRINT_EDGE / Math.max(picture.width, picture.height))
  const width = Math.max(1, Math.round(picture.width * share))
  const height = Math.max(1, Math.round(picture.height * share))
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><image href="${picture.dataUrl}" width="${width}" height="${height}" preserveAspectRatio="none"/></svg>`
  return { dataUrl: dataUrl('image/png', await rasterise(svg, { width, height })), width, height }
}

const dataUrl = (mediaType: string, bytes: Buffer) => `data:${mediaType};base64,${bytes.toString('base64')}`
