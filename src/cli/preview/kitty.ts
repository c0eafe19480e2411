/** Kitty's graphics protocol: raw pixels, compressed, in chunks (sw.kovidgoyal.net/kitty/graphics-protocol). */
import { deflateSync } from 'node:zlib'
import { previewPixels } from '../../media/preview-pixels.ts'
import { cellPixels, pixelBox } from './cells.ts'
import type { PreviewInput } from './preview-input.ts'

/** The protocol's limit for one chunk of base64. */
const chunkCharacters = 4_096

/** Draws by Kitty's protocol. `q=2` keeps the terminal from answering into stdin. */
export async function kitty(input: PreviewInput): Promise<string> {
  const { width, height, rgba } = await previewPixels(input.bytes, pixelBox(input))
  const columns = Math.max(1, Math.round(width / cellPixels.width))
  const rows = Math.max(1, Math.round(height / cellPixels.height))
  const payload = deflateSync(rgba).toString('base64')
  let text = ''
  for (let at = 0; at < payload.length; at += chunkCharacters) {
    const more = at + chunkCharacters < payload.length ? 1 : 0
    const control =
      at === 0 ? `a=T,q=2,f=32,o=z,s=${width},v=${height},c=${columns},r=${rows},m=${more}` : `m=${more}`
    text += `\u001b_G${control};${payload.slice(at, at + chunkCharacters)}\u001b\\`
  }
  return `${text}\n`
}
