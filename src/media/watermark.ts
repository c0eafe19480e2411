/**
 * The visible label "AI generated", as a drawing to lay over a picture's lower right corner.
 *
 * White letters on a dark pill can be read on light and on dark pictures. The letters are strokes drawn here and
 * never `<text>`: a server may have no fonts at all, and then text comes out as nothing or as boxes.
 */

/** The label and where it goes, in pixels. */
export interface Watermark {
  svg: string
  left: number
  top: number
}

/** Letters are 100 high: a capital stands from 0 to 100, a small letter from 34 to 100. */
interface Letter {
  width: number
  path: string
}

const bowl = 'M42 67A21 33 0 1 1 0 67A21 33 0 1 1 42 67Z'
const letters: Record<string, Letter> = {
  A: { width: 56, path: 'M0 100L28 0L56 100M9 68H47' },
  I: { width: 0, path: 'M0 0V100' },
  g: { width: 42, path: `${bowl}M42 34V106A21 20 0 0 1 4 116` },
  e: { width: 42, path: 'M0 66H42A21 33 0 1 0 35 91' },
  n: { width: 38, path: 'M0 34V100M0 60A19 26 0 0 1 38 60V100' },
  r: { width: 24, path: 'M0 34V100M0 62A24 28 0 0 1 24 35' },
  a: { width: 42, path: `${bowl}M42 34V100` },
  t: { width: 28, path: 'M12 8V84A13 16 0 0 0 28 99M0 34H28' },
  d: { width: 42, path: `${bowl}M42 0V100` },
}

const label = 'AI generated'
const letterGap = 15
const wordGap = 42
const strokeWidth = 12
const paddingX = 30
const pillHeight = 190
const capitalTop = 42

/** Letters as high as this share of the picture's shorter edge … */
const letterShare = 0.035
/** … and never lower, in pixels, as long as the label fits into the picture. */
const leastLetterPixels = 10
/** Between the pill and the picture's edges, in letter heights. */
const margin = 0.6

const drawn = drawLetters()

/** The label for a picture of this size. On one too small for legible letters it shrinks to fit. */
export function watermark(picture: { width: number; height: number }): Watermark {
  const wanted = Math.max(leastLetterPixels, letterShare * Math.min(picture.width, picture.height))
  const letterPixels = Math.min(
    wanted,
    (100 * picture.width) / drawn.pillWidth,
    (100 * picture.height) / pillHeight,
  )
  const width = Math.max(1, Math.floor((letterPixels * drawn.pillWidth) / 100))
  const height = Math.max(1, Math.floor((letterPixels * pillHeight) / 100))
  const away = (free: number) => Math.max(0, free - Math.min(Math.round(margin * letterPixels), free >> 1))
  return {
    svg: `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${drawn.pillWidth} ${pillHeight}" preserveAspectRatio="none"><rect width="${drawn.pillWidth}" height="${pillHeight}" rx="60" fill="#000" fill-opacity=".65"/><g fill="none" stroke="#fff" stroke-width="${strokeWidth}" stroke-linecap="round" stroke-linejoin="round">${drawn.paths}</g></svg>`,
    left: away(picture.width - width),
    top: away(picture.height - height),
  }
}

function drawLetters(): { paths: string; pillWidth: number } {
  let x = paddingX
  let paths = ''
  for (const character of label) {
    const letter = letters[character]
    if (letter) {
      paths += `<path transform="translate(${x} ${capitalTop})" d="${letter.path}"/>`
      x += letter.width + letterGap
    } else {
      x += wordGap - letterGap
    }
  }
  return { paths, pillWidth: x - letterGap + paddingX }
}
