/** A price applied to counted work: one line for each item that has anything to charge, and their sum. */
import type { Price, PriceItem } from '../models/price.ts'
import { approximate, exact, roundUp, times, withPercent } from './exact.ts'
import { fittingItem, type ImageItem, type PictureFacts } from './fitting-item.ts'
import type { PriceComponent, PricedSum } from './priced-work.ts'

export type TokenKind = Extract<PriceItem, { per: 'million tokens' }>['kind']

/** Work as it is charged, before or after it is done. */
export interface CountedWork {
  pictures: readonly { facts: PictureFacts; count: number }[]
  calls: number
  /** Of one call. */
  inputImages: number
  /** Pixels of each of them, where they are known. */
  inputPixels?: readonly number[]
  tokens: Readonly<Record<TokenKind, number>>
  /** Over all calls; absent: as many as an item can charge. */
  seconds?: number
  /** For all pictures; absent: as much as an item can charge. */
  reportedMicros?: number
}

/** One item, and how many of it. */
interface Line {
  per: string
  of?: string
  unitMicros: number
  /** Exact; of tokens in millions. */
  quantity: bigint
  /** The quantity as it is shown. */
  shown: number
}

const begunMegapixel = 1_048_576

/** What the items come to: with the margin for callers, without it for the operator, each rounded once. */
export function sumPrice(price: Price, work: CountedWork): PricedSum & { providerMicros: number } {
  const lines = price.items.flatMap((item) => (item.per === 'image' ? [] : lineOf(item, work)))
  const all = [...imageLines(price, work), ...lines].filter(({ quantity }) => quantity > 0n)
  const margin = price.marginPercent ?? 0
  const total = all.reduce((sum, one) => sum + amountOf(one), 0n)
  return {
    micros: roundUp(withPercent(total, margin)),
    providerMicros: roundUp(total),
    components: all.map((one) => component(one, margin)),
  }
}

function amountOf({ unitMicros, quantity }: Line): bigint {
  return times(exact(unitMicros), quantity)
}

function component(counted: Line, margin: number): PriceComponent {
  const { per, of, shown, unitMicros } = counted
  return {
    per,
    ...(of === undefined ? {} : { of }),
    quantity: shown,
    unit_micros: approximate(withPercent(exact(unitMicros), margin)),
    micros: approximate(withPercent(amountOf(counted), margin)),
  }
}

/** Pictures that pay the same item are one line. */
function imageLines({ items }: Price, { pictures }: CountedWork): Line[] {
  const imageItems = items.filter((item) => item.per === 'image')
  const counts = new Map<ImageItem, number>()
  for (const { facts, count } of pictures) {
    const item = fittingItem(imageItems, facts)
    if (item) counts.set(item, (counts.get(item) ?? 0) + count)
  }
  return [...counts].map(([item, count]) => line(item, exact(count), wordsOf(item)))
}

function wordsOf({ quality, imageSize, size, upToPixels }: ImageItem): string | undefined {
  const words = [quality, imageSize, size, upToPixels && `up to ${upToPixels} pixels`]
  return words.filter(Boolean).join(', ') || undefined
}

function line({ per, micros }: { per: string; micros: number }, quantity: bigint, of?: string): Line {
  return { per, of, unitMicros: micros, quantity, shown: approximate(quantity) }
}

function lineOf(item: Exclude<PriceItem, ImageItem>, work: CountedWork): Line {
  switch (item.per) {
    case 'megapixel':
      return line(item, megapixels(item, work))
    case 'input image':
      return line(item, exact(Math.max(0, work.inputImages - (item.from ?? 0)) * work.calls))
    case 'input megapixel':
      return line(item, exact(inputMegapixels(item.atMost, work)))
    case 'million tokens': {
      const tokens = exact(work.tokens[item.kind])
      return { ...line(item, tokens / 1_000_000n, item.kind), shown: approximate(tokens) }
    }
    case 'second':
      return line(item, seconds(item.atMost, work))
    case 'reported cost':
      return reportedLine(item, work)
  }
}

/** Exact, as millionths are. */
function megapixels(item: { from?: number; begun?: true }, { pictures }: CountedWork): bigint {
  const paid = exact(item.from ?? 0)
  return pictures.reduce((sum, { facts, count }) => {
    const pixels = facts.size ? facts.size.width * facts.size.height : facts.mostPixels
    const all = item.begun ? exact(Math.ceil(pixels / begunMegapixel)) : exact(pixels) / 1_000_000n
    return all > paid ? sum + BigInt(count) * (all - paid) : sum
  }, 0n)
}

function inputMegapixels(atMost: number, { inputImages, inputPixels, calls }: CountedWork): number {
  if (!inputPixels) return atMost * inputImages * calls
  const each = inputPixels.map((pixels) => Math.min(atMost, Math.max(1, Math.ceil(pixels / begunMegapixel))))
  return calls * each.reduce((sum, one) => sum + one, 0)
}

function seconds(atMost: number, { calls, seconds: told }: CountedWork): bigint {
  const most = exact(atMost) * BigInt(calls)
  return told !== undefined && exact(told) < most ? exact(told) : most
}

/** What was told, as one; or so much for each picture. */
function reportedLine(item: { per: string; micros: number }, work: CountedWork): Line {
  const { reportedMicros: told, pictures } = work
  const count = exact(pictures.reduce((sum, one) => sum + one.count, 0))
  const isLess = told !== undefined && exact(told) < times(exact(item.micros), count)
  return isLess ? line({ per: item.per, micros: told }, exact(1)) : line(item, count)
}
