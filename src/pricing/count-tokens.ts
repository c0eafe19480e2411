/** Tokens as they are charged: by the table before the work, by the provider's own report after it where that is sane. */
import type { Price } from '../models/price.ts'
import { mostInputTokens, mostTextTokens, outputTokens, tokensOfPartialImage } from './image-tokens.ts'
import type { CountedWork } from './price-lines.ts'
import type { Delivery, PricedWork } from './priced-work.ts'

export type Tokens = CountedWork['tokens']

/** A report of more than so many times the table's tokens is a slip of the provider, and no use. */
const absurdTimes = 4

/**
 * The most tokens of so many pictures. Input is counted for each picture, because that is how several pictures of one call
 * are billed.
 */
export function tableTokens(price: Price, work: PricedWork, pictures: CountedWork['pictures']): Tokens {
  const kind = price.imageTokens ?? 'gpt-image-2'
  const partials = work.partialImages * tokensOfPartialImage
  const each = pictures.map(({ facts, count }) => {
    const extent = facts.size ?? { pixels: facts.mostPixels }
    return count * (outputTokens(kind, extent, facts.quality) + partials)
  })
  const runs = pictures.reduce((sum, { count }) => sum + count, 0)
  return {
    'text in': runs * mostTextTokens(work.promptBytes, work.inputImages),
    'image in': runs * work.inputImages * mostInputTokens[kind],
    'cached image in': 0,
    'image out': each.reduce((sum, tokens) => sum + tokens, 0),
  }
}

/**
 * The report against what was quoted; each kind that is not told or not sane is taken from `table`. `part` takes from a
 * report what is to be counted of it.
 */
export function reportedTokens(
  price: Price,
  { usage }: Delivery,
  terms: { quoted: Tokens; table: Tokens; inputImages: number; part(tokens: number): number },
): { tokens: Tokens; isReported: boolean } {
  const { quoted, table, inputImages } = terms
  const part = (tokens: number) => Math.ceil(terms.part(tokens))
  const out = sane(usage?.outputTokens, quoted['image out'])
  const input = readInput(usage, inputImages)
  const text = sane(input.text, quoted['text in'])
  const image = sane(input.image, quoted['image in'])
  const told = hasCachedPrice(price) ? sane(usage?.inputTokensDetails?.cachedTokens, image ?? 0) : 0
  const cached = Math.min(told ?? 0, image ?? 0)
  return {
    isReported: out !== undefined && text !== undefined && image !== undefined,
    tokens: {
      'text in': text === undefined ? table['text in'] : part(text),
      'image in': image === undefined ? table['image in'] : part(image - cached),
      'cached image in': part(cached),
      'image out': out === undefined ? table['image out'] : part(out),
    },
  }
}

function hasCachedPrice({ items }: Price): boolean {
  return items.some((item) => item.per === 'million tokens' && item.kind === 'cached image in')
}

/** Without details a request of words only has text tokens only; else nobody can tell them apart. */
function readInput(usage: Delivery['usage'], inputImages: number): { text?: number; image?: number } {
  const { inputTokens, inputTokensDetails: details } = usage ?? {}
  if (inputImages === 0) return { text: details?.textTokens ?? inputTokens, image: 0 }
  return { text: details?.textTokens, image: details?.imageTokens }
}

/** None at all is no report either where some must have been: servers that count nothing say 0. */
function sane(tokens: unknown, quoted: number): number | undefined {
  if (typeof tokens !== 'number' || !Number.isSafeInteger(tokens)) return undefined
  return tokens >= Math.min(1, quoted) && tokens <= quoted * absurdTimes ? tokens : undefined
}
