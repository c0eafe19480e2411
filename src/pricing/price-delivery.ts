/** The price of a request after it was worked on: by what was delivered, and by what the provider says of it where that is sane. */
import type { Price } from '../models/price.ts'
import { reportedTokens, tableTokens } from './count-tokens.ts'
import type { PictureFacts } from './fitting-item.ts'
import { type CountedWork, sumPrice } from './price-lines.ts'
import type { Delivery, PricedWork } from './priced-work.ts'
import { askedPicture, quotedWork } from './quote-price.ts'

/** Nobody charges more for a request: ten thousand USD. */
const mostMicros = 10_000_000_000

/**
 * `listMicros`: what callers pay for what they get, the items with the margin, rounded up once. It may be more than the
 * quote where the provider reports more; the caller caps it. `providerMicros`: what the provider charges for all that it
 * made, by its own word, else by the items; null where these need a word that it did not say. Never throws.
 */
export function priceDelivery(
  price: Price,
  work: PricedWork,
  made: Delivery,
): { listMicros: number; providerMicros: number | null } {
  const told = {
    ...made,
    reportedMicros: reportedCost(made),
    seconds: saneAmount(made.seconds, Number.MAX_SAFE_INTEGER),
  }
  const kept = told.images.map((size) => ({ facts: madePicture(work, size, told.quality), count: 1 }))
  const lost = Math.max(0, Math.floor(saneAmount(told.made, work.n) ?? 0) - kept.length)
  const all = [...kept, { facts: askedPicture(work), count: lost }]
  const { counted, isKnown } = countWork(price, work, told, { pictures: all, part: (amount) => amount })
  const delivered = countWork(price, work, told, {
    pictures: kept,
    part: (amount) => (amount * kept.length) / (kept.length + lost),
  }).counted
  const byItems = isKnown ? sumPrice(price, counted).providerMicros : null
  return {
    listMicros: sumPrice(price, delivered).micros,
    providerMicros: told.reportedMicros === undefined ? byItems : Math.ceil(told.reportedMicros),
  }
}

/** What the provider said it charged, where that can be. */
export function reportedCost({ reportedMicros }: Pick<Delivery, 'reportedMicros'>): number | undefined {
  return saneAmount(reportedMicros, mostMicros)
}

/** `part`: what of an amount that the provider reported these pictures are. */
function countWork(
  price: Price,
  work: PricedWork,
  made: Delivery,
  { pictures, part }: { pictures: CountedWork['pictures']; part(amount: number): number },
): { counted: CountedWork; isKnown: boolean } {
  const quoted = quotedWork(price, work)
  const { tokens, isReported } = reportedTokens(price, made, {
    quoted: quoted.tokens,
    table: tableTokens(price, work, pictures),
    inputImages: work.inputImages,
    part,
  })
  const { seconds, reportedMicros } = made
  const told: Record<string, boolean> = {
    'million tokens': isReported,
    'input megapixel': work.inputImages === 0 || work.inputPixels !== undefined,
    second: seconds !== undefined,
    'reported cost': reportedMicros !== undefined,
  }
  const counted = {
    ...quoted,
    pictures,
    // Of several calls those that brought nothing are not known to have been made.
    calls: Math.min(
      work.calls,
      pictures.reduce((sum, { count }) => sum + count, 0),
    ),
    tokens,
    seconds: seconds === undefined ? undefined : part(seconds),
    reportedMicros: reportedMicros === undefined ? undefined : part(reportedMicros),
  }
  return { counted, isKnown: price.items.every(({ per }) => told[per] ?? true) }
}

function madePicture(
  { imageSize, quality }: PricedWork,
  { width, height }: Delivery['images'][number],
  madeQuality: string | undefined,
): PictureFacts {
  const size = { width: edge(width), height: edge(height) }
  const isChosen = quality === undefined || quality === 'auto'
  return {
    size,
    mostPixels: size.width * size.height,
    imageSize,
    quality: isChosen ? madeQuality : quality,
  }
}

/** No format has longer ones. */
function edge(pixels: number): number {
  return Number.isSafeInteger(pixels) ? Math.min(Math.max(pixels, 0), 65_535) : 0
}

function saneAmount(amount: unknown, most: number): number | undefined {
  const isAmount = typeof amount === 'number' && Number.isFinite(amount) && amount >= 0
  return isAmount && amount <= most ? amount : undefined
}
