/** iTerm2's inline images: a small PNG in one escape sequence (iterm2.com/documentation-images.html). */
import { previewPng } from '../../media/preview-pixels.ts'
import { pixelBox } from './cells.ts'
import type { PreviewInput } from './preview-input.ts'

/** Draws by iTerm2's protocol. */
export async function iterm(input: PreviewInput): Promise<string> {
  const png = await previewPng(input.bytes, pixelBox(input))
  const size = `width=auto;height=${input.rows};preserveAspectRatio=1`
  return `\u001b]1337;File=inline=1;size=${png.length};${size}:${png.toString('base64')}\u0007\n`
}
