/** Half blocks in 24-bit colour: two pixels a cell, for every terminal that has no picture protocol. */
import { type PreviewPixels, previewPixels } from '../../media/preview-pixels.ts'
import type { PreviewInput } from './preview-input.ts'

const reset = '\u001b[0m'

/** Draws by half blocks; a transparent pixel keeps the terminal's own background. */
export async function blocks(input: PreviewInput): Promise<string> {
  const pixels = await previewPixels(input.bytes, { width: input.columns, height: input.rows * 2 })
  let text = ''
  for (let y = 0; y < pixels.height; y += 2) {
    for (let x = 0; x < pixels.width; x++) text += cell(colourAt(pixels, x, y), colourAt(pixels, x, y + 1))
    text += `${reset}\n`
  }
  return text
}

function cell(upper: string | undefined, lower: string | undefined): string {
  if (upper && lower) return `\u001b[38;2;${upper};48;2;${lower}m▀`
  if (upper) return `${reset}\u001b[38;2;${upper}m▀`
  if (lower) return `${reset}\u001b[38;2;${lower}m▄`
  return `${reset} `
}

function colourAt({ width, height, rgba }: PreviewPixels, x: number, y: number): string | undefined {
  const at = (y * width + x) * 4
  if (y >= height || (rgba[at + 3] ?? 0) < 128) return undefined
  return `${rgba[at]};${rgba[at + 1]};${rgba[at + 2]}`
}
