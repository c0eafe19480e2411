/**
 * The five picture formats that Gesso takes and serves, told apart by their first bytes.
 *
 * Names and declared media types are never asked: both are chosen by whoever sent the bytes. Formats that
 * carry scripts, links or other files (SVG, PDF, TIFF …) have no place in this list.
 */

export type ImageFormat = 'png' | 'jpeg' | 'webp' | 'gif' | 'avif'

export type ImageMediaType = `image/${ImageFormat}`

/** For messages: what a caller may send. */
export const ALLOWED_FORMATS = 'PNG, JPEG, WebP, GIF and AVIF'

/** The format, or null where the bytes are something else, too few, or an animated AVIF. */
export function sniffFormat(bytes: Buffer): ImageFormat | null {
  if (startsWith(bytes, '\x89PNG\r\n\x1a\n')) return 'png'
  if (startsWith(bytes, '\xff\xd8\xff')) return 'jpeg'
  if (startsWith(bytes, 'RIFF') && startsWith(bytes, 'WEBP', 8)) return 'webp'
  if (startsWith(bytes, 'GIF87a') || startsWith(bytes, 'GIF89a')) return 'gif'
  const brands = brandsOf(bytes)
  if (brands.includes('avif') && !brands.includes('avis')) return 'avif'
  return null
}

/** What bytes of no allowed format look like, for a message: "an SVG document", "a PDF document" … */
export function describeNature(bytes: Buffer): string {
  if (bytes.length === 0) return 'empty'
  const found = natures.find(([magic, , at]) => startsWith(bytes, magic, at))
  if (found) return found[1]
  const brands = brandsOf(bytes)
  if (brands.includes('avis')) return 'an animated AVIF'
  if (brands.some((brand) => /^(hei|hev|mif|msf)/.test(brand))) return 'a HEIC picture'
  if (brands.length > 0) return 'a video'
  return describeText(bytes)
}

const natures: readonly [magic: string, nature: string, at?: number][] = [
  ['II*\0', 'a TIFF picture'],
  ['MM\0*', 'a TIFF picture'],
  ['%PDF', 'a PDF document'],
  ['BM', 'a BMP picture'],
  ['\0\0\x01\0', 'an icon file'],
  ['\xff\x0a', 'a JPEG XL picture'],
  ['JXL ', 'a JPEG XL picture', 4],
  ['jP  ', 'a JPEG 2000 picture', 4],
  ['PK', 'a ZIP archive'],
  ['\x1f\x8b', 'gzip-compressed data'],
]

const TEXT_SAMPLE_BYTES = 1024

function describeText(bytes: Buffer): string {
  const sample = bytes.subarray(0, TEXT_SAMPLE_BYTES)
  // Without its NULs, UTF-16 of either order reads like ASCII.
  const text = sample.toString('latin1').replaceAll('\0', '').toLowerCase()
  if (text.includes('<svg')) return 'an SVG document'
  if (text.includes('<html') || text.includes('<!doctype')) return 'an HTML document'
  if (/^[\s\xef\xbb\xbf\xfe\xff]*<[?!a-z]/.test(text)) return 'an XML document'
  return 'of an unknown format'
}

/** The brands of an ISO media file's `ftyp` box, the major one first; empty where there is no such box. */
function brandsOf(bytes: Buffer): string[] {
  if (bytes.length < 16 || !startsWith(bytes, 'ftyp', 4)) return []
  const boxEnd = Math.min(bytes.readUInt32BE(0), bytes.length, 256)
  const brands = [bytes.toString('latin1', 8, 12)]
  for (let at = 16; at + 4 <= boxEnd; at += 4) brands.push(bytes.toString('latin1', at, at + 4))
  return brands
}

function startsWith(bytes: Buffer, magic: string, at = 0): boolean {
  return bytes.toString('latin1', at, at + magic.length) === magic
}
