/**
 * How many tokens OpenAI counts for a picture, where it does not tell and before it can: its guide "Image generation",
 * section "Calculating costs", and for GPT Image 2, whose formula is not written there, the one behind the calculator of
 * that page (https://community.openai.com/t/1382699), both read 2026-11-21.
 */
import type { Price } from '../models/price.ts'
import { newerWord } from '../models/quality.ts'

export type ImageTokens = NonNullable<Price['imageTokens']>

/** Unfinished pictures that are shown cost so much each. */
export const tokensOfPartialImage = 100

/** What an unknown quality is counted as: the highest that a model chooses by itself. */
const chosen = 'high'

/** Of a picture of 1024x1024; larger ones have as many more as they have more pixels. */
const squares: Record<'gpt-image-1' | 'gpt-image-1-mini', Record<string, number>> = {
  'gpt-image-1': { low: 272, medium: 1_056, high: 4_160 },
  // As many as its published prices for a picture come to, which are more than the guide's tokens.
  'gpt-image-1-mini': { low: 625, medium: 1_375, high: 4_500 },
}

/**
 * Of a side of the picture. OpenAI publishes none for `xhigh` and `max`: they go on as the others do, by half of `high` at
 * each step, so that a quote is rather too high.
 */
const factors: Record<string, number> = { low: 16, medium: 48, high: 96, xhigh: 144, max: 192 }

/** A picture as far as it is known: its edges, or only the most pixels that it can have. */
export type Extent = { width: number; height: number } | { pixels: number }

/** The output tokens of one picture. Of unknown edges the dearest shape counts, which is the square. */
export function outputTokens(kind: ImageTokens, extent: Extent, quality = 'auto'): number {
  const word = newerWord(quality)
  const pixels = 'pixels' in extent ? extent.pixels : extent.width * extent.height
  if (kind === 'gpt-image-2') {
    const factor = factors[word] ?? factors[chosen] ?? 0
    return Math.ceil((factor * shortFactor(factor, extent) * (2_000_000 + pixels)) / 4_000_000)
  }
  const square = squares[kind][word] ?? squares[kind][chosen] ?? 0
  return exactly(kind, extent, word) ?? Math.ceil((square * pixels) / 1_048_576)
}

function shortFactor(factor: number, extent: Extent): number {
  if ('pixels' in extent) return factor
  const long = Math.max(extent.width, extent.height, 1)
  const short = Math.min(extent.width, extent.height)
  return Math.floor((2 * factor * short + long) / (2 * long))
}

/** Landscape is a little cheaper than portrait. */
const landscapes: Record<string, number> = { low: 400, medium: 1_568, high: 6_208 }

function exactly(kind: ImageTokens, extent: Extent, word: string): number | undefined {
  const isLandscape = 'width' in extent && extent.width === 1_536 && extent.height === 1_024
  return kind === 'gpt-image-1' && isLandscape ? (landscapes[word] ?? landscapes[chosen]) : undefined
}

/**
 * The most tokens of one input picture. GPT Image 1: 65, and 129 for each of up to four tiles of 512 pixels, and with
 * `input_fidelity: high` up to 6,240 more. GPT Image 2: 32-pixel patches, at most 1,536 of them as measured for it, and a
 * third more for those after it.
 */
export const mostInputTokens: Record<ImageTokens, number> = {
  'gpt-image-1': 65 + 4 * 129 + 6_240,
  // Takes no high fidelity.
  'gpt-image-1-mini': 65 + 4 * 129,
  'gpt-image-2': 2_048,
}

/** What is counted beside the words of a prompt, and beside each input picture: 6 and 32 as measured. */
const besidePrompt = 16
const besideInputImage = 32

/** The most text tokens of one call: no token is shorter than a byte. */
export function mostTextTokens(promptBytes: number, inputImages: number): number {
  return promptBytes + besidePrompt + besideInputImage * inputImages
}
