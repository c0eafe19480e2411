/**
 * Small real pictures of every kind that Gesso meets, bare and with all the metadata that sharp can write. What is
 * written into them names a person and a place, so that a test can look for it in bytes.
 */
import sharp, { type Sharp } from 'sharp'
import type { ImageFormat } from '../../image-format.ts'

/** Words that stand in the metadata of a tagged picture. */
export const privateWords = ['Erika Mustermann', '52/1 31/1 12/1', 'Brandenburger Tor']

const oldXmp = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:source>Brandenburger Tor</dc:source>
</rdf:Description></rdf:RDF></x:xmpmeta>`

/** A kind of picture: its name, its format and how it is made. */
export type PictureKind = readonly [name: string, format: ImageFormat, make: () => Sharp]

export const pictureKinds: readonly PictureKind[] = [
  ['png', 'png', () => scene(3).png()],
  ['png with alpha', 'png', () => scene(4).png()],
  ['interlaced png', 'png', () => scene(4).png({ progressive: true })],
  ['png with a palette', 'png', () => scene(4).png({ palette: true, colours: 16 })],
  ['png of 16 bits', 'png', () => scene(3).toColourspace('rgb16').png()],
  ['jpeg', 'jpeg', () => scene(3).jpeg()],
  ['progressive jpeg', 'jpeg', () => scene(3).jpeg({ progressive: true, mozjpeg: true })],
  ['grey jpeg', 'jpeg', () => scene(3).greyscale().jpeg()],
  ['cmyk jpeg', 'jpeg', () => scene(3).toColourspace('cmyk').jpeg()],
  ['webp', 'webp', () => scene(3).webp()],
  ['webp with alpha', 'webp', () => scene(4).webp()],
  ['lossless webp', 'webp', () => scene(3).webp({ lossless: true })],
  ['lossless webp with alpha', 'webp', () => scene(4).webp({ lossless: true })],
  ['animated webp', 'webp', () => animation().webp({ loop: 3 })],
  ['gif', 'gif', () => scene(3).gif()],
  ['gif with alpha', 'gif', () => scene(4).gif()],
  ['animated gif', 'gif', () => animation().gif({ loop: 3, delay: [80, 90, 100, 110, 120] })],
  ['avif', 'avif', () => scene(3).avif({ effort: 0 })],
  ['avif with alpha', 'avif', () => scene(4).avif({ effort: 0 })],
  ['lossless avif', 'avif', () => scene(4).avif({ effort: 0, lossless: true })],
]

/** Gradients with odd sides: every sample differs from its neighbours, transparency included. */
export function scene(channels: 3 | 4, width = 45, height = 33): Sharp {
  const pixels = Buffer.alloc(width * height * channels)
  for (let i = 0; i < pixels.length; i++) pixels[i] = (i * 7 + (i >> 5) * 13) % 256
  return sharp(pixels, { raw: { width, height, channels } })
}

function animation(): Sharp {
  const pixels = Uint8Array.from({ length: 16 * 16 * 4 * 5 }, (_, i) => (i * 7 + (i >> 6)) % 256)
  return sharp(pixels, { raw: { width: 16, height: 80, channels: 4, pageHeight: 16 } })
}

/** With EXIF (owner, place, orientation), XMP and an ICC profile. GIF can hold none of them by sharp. */
export function tagged(picture: Sharp, orientation = 1): Sharp {
  return picture
    .withMetadata({ orientation })
    .withExifMerge({
      IFD0: { Artist: 'Erika Mustermann', ImageDescription: 'Brandenburger Tor' },
      IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '52/1 31/1 12/1' },
    })
    .withXmp(oldXmp)
    .withIccProfile('p3', { attach: true })
}

/** All frames as samples. */
export async function pixelsOf(bytes: Buffer): Promise<Buffer> {
  return await sharp(bytes, { animated: true }).raw({ depth: 'ushort' }).toBuffer()
}
