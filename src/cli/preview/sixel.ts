/**
 * Sixel: six rows of pixels at a time, colour by colour (DEC VT330/340 manual, chapter 14). The palette is a fixed
 * cube of 252 colours with ordered dithering: good enough for a glance, and the same in every terminal.
 */
import { type PreviewPixels, previewPixels } from '../../media/preview-pixels.ts'
import { pixelBox } from './cells.ts'
import type { PreviewInput } from './preview-input.ts'

/** Steps per channel; the eye tells greens best. */
const levels = { red: 6, green: 7, blue: 6 }
const colours = levels.red * levels.green * levels.blue
const transparent = -1
const bayer = [0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5]

/** Draws by sixels; transparent pixels stay as the terminal is. */
export async function sixel(input: PreviewInput): Promise<string> {
  const pixels = await previewPixels(input.bytes, pixelBox(input))
  const { width, height } = pixels
  const indices = quantise(pixels)
  let body = ''
  for (let top = 0; top < height; top += 6) body += `${band(indices, { width, height, top })}-`
  return `\u001bP0;1;0q"1;1;${width};${height}${palette()}${body}\u001b\\\n`
}

function quantise({ width, height, rgba }: PreviewPixels): Int16Array {
  const indices = new Int16Array(width * height)
  for (let at = 0; at < indices.length; at++) {
    const x = at % width
    const y = Math.floor(at / width)
    const threshold = ((bayer[(y % 4) * 4 + (x % 4)] ?? 0) + 0.5) / 16
    const step = (offset: number, count: number) =>
      Math.min(count - 1, Math.floor(((rgba[at * 4 + offset] ?? 0) / 255) * (count - 1) + threshold))
    const colour =
      (step(0, levels.red) * levels.green + step(1, levels.green)) * levels.blue + step(2, levels.blue)
    indices[at] = (rgba[at * 4 + 3] ?? 0) < 128 ? transparent : colour
  }
  return indices
}

function palette(): string {
  const percent = (step: number, count: number) => Math.round((step / (count - 1)) * 100)
  return Array.from({ length: colours }, (_, index) => {
    const blue = percent(index % levels.blue, levels.blue)
    const green = percent(Math.floor(index / levels.blue) % levels.green, levels.green)
    const red = percent(Math.floor(index / (levels.blue * levels.green)), levels.red)
    return `#${index};2;${red};${green};${blue}`
  }).join('')
}

/** Six rows: for each colour in them one line of sixels, `$` going back to the line's begin. */
function band(
  indices: Int16Array,
  { width, height, top }: { width: number; height: number; top: number },
): string {
  const lines = new Map<number, Uint8Array>()
  for (let y = top; y < Math.min(top + 6, height); y++) {
    for (let x = 0; x < width; x++) {
      const colour = indices[y * width + x] ?? transparent
      if (colour === transparent) continue
      const line = lines.get(colour) ?? new Uint8Array(width)
      lines.set(colour, line)
      line[x] = (line[x] ?? 0) | (1 << (y - top))
    }
  }
  return [...lines].map(([colour, line]) => `#${colour}${runLengths(line)}`).join('$')
}

/** `!12~` says twelve times `~`. */
function runLengths(line: Uint8Array): string {
  let text = ''
  for (let start = 0, end = 0; start < line.length; start = end) {
    while (end < line.length && line[end] === line[start]) end++
    const sign = String.fromCharCode(63 + (line[start] ?? 0))
    text += end - start > 3 ? `!${end - start}${sign}` : sign.repeat(end - start)
  }
  return text
}
