/**
 * Prices as an operator writes them in `gesso.yaml`: the items of a price in snake_case, each in `usd` or in `micros`. A
 * decimal is read as it stands there, so that 0.00067 USD are exactly 670 micro-USD.
 */
import { z } from 'zod'
import { qualities as anyQualities } from '../lib/field-values.ts'
import { oneOf, wholeNumber } from '../lib/setting.ts'
import { imageTokenTables, type Price, type PriceItem, priceItem } from './price.ts'

const usdExpected = 'an amount in USD from 0 to 10000, such as 0.04, with up to 12 decimals'
const microsExpected = 'micro-USD (1 USD = 1000000) from 0 to 10000000000, with up to 6 decimals'
const onePriceExpected = 'either usd or micros'
const percentExpected = 'percent from 0 to 10000, with up to 4 decimals'

/** A decimal number from 0 on, or its text; `decimals` of them at most. */
function decimal(options: { most: number; decimals: number; expected: string }) {
  const { most, decimals, expected } = options
  return z
    .union([z.number(), z.string().regex(/^\d{1,12}(\.\d{1,12})?$/, { error: expected })], {
      error: expected,
    })
    .transform((value) => ({ value: Number(value), written: plain(value) }))
    .refine(
      ({ value, written }) =>
        // What is finer than anybody writes would be another amount, or none.
        Number(written) === value && value >= 0 && value <= most && fractionOf(written).length <= decimals,
      { error: expected },
    )
}

/** Without an exponent, as far as anybody writes decimals. */
function plain(value: number | string): string {
  const written = String(value)
  return written.includes('e') ? Number(value).toFixed(12).replace(/0+$/, '') : written
}

function fractionOf(written: string): string {
  return written.split('.')[1] ?? ''
}

/** What is put on top of the items for this server's callers. */
export const marginPercent = decimal({ most: 10_000, decimals: 4, expected: percentExpected }).transform(
  ({ value }) => value,
)

const amount = {
  usd: decimal({ most: 10_000, decimals: 12, expected: usdExpected })
    .transform(({ written }) => microsOf(written))
    .optional(),
  micros: decimal({ most: 10_000_000_000, decimals: 6, expected: microsExpected })
    .transform(({ value }) => value)
    .optional(),
}

/** Moves the point by six places in the text itself. */
function microsOf(usd: string): number {
  const [whole = '0', fraction = ''] = usd.split('.')
  const digits = fraction.padEnd(6, '0')
  return Number(`${whole}${digits.slice(0, 6)}.${digits.slice(6) || '0'}`)
}

const [, ...qualities] = anyQualities
const classes = ['512', '1K', '2K', '4K'] as const

/** `512` is a number in YAML. */
function asWord(value: unknown): unknown {
  return typeof value === 'number' ? String(value) : value
}

const kinds = ['text in', 'image in', 'cached image in', 'image out'] as const
const pixels = wholeNumber({ min: 1, max: 1_000_000_000 })

const shapes = [
  z.strictObject({
    per: z.literal('image'),
    ...amount,
    quality: oneOf(qualities).optional(),
    image_size: z.preprocess(asWord, oneOf(classes)).optional(),
    size: z
      .string({ error: 'a size such as 1024x1024' })
      .regex(/^[1-9]\d{0,4}x[1-9]\d{0,4}$/, { error: 'a size such as 1024x1024' })
      .optional(),
    up_to_pixels: pixels.optional(),
  }),
  z.strictObject({
    per: z.literal('megapixel'),
    ...amount,
    from: decimal({ most: 1_000, decimals: 6, expected: 'megapixels that are paid already' })
      .transform(({ value }) => value)
      .optional(),
    begun: z.literal(true, { error: 'true, or nothing' }).optional(),
  }),
  z.strictObject({
    per: z.literal('input image'),
    ...amount,
    from: wholeNumber({ min: 0, max: 100 }).optional(),
  }),
  z.strictObject({
    per: z.literal('input megapixel'),
    ...amount,
    at_most: wholeNumber({ min: 1, max: 1_000 }),
  }),
  z.strictObject({ per: z.literal('million tokens'), ...amount, kind: oneOf(kinds) }),
  z.strictObject({
    per: z.literal('second'),
    ...amount,
    at_most_seconds: decimal({ most: 86_400, decimals: 3, expected: 'seconds from 0 to 86400' }).transform(
      ({ value }) => value,
    ),
  }),
  z.strictObject({ per: z.literal('reported cost'), ...amount }),
] as const

const perExpected = `one of ${shapes.map((shape) => shape.shape.per.value).join(', ')}`

const configuredItem = z
  .discriminatedUnion('per', shapes, {
    error: ({ code }) =>
      code === 'invalid_union' ? perExpected : 'an item such as { per: image, usd: 0.04 }',
  })
  .refine(({ usd, micros }) => (usd === undefined) !== (micros === undefined), { error: onePriceExpected })
  .transform(toItem)

type WrittenItem = z.infer<(typeof shapes)[number]>

const ownNames: Record<string, string> = {
  usd: 'micros',
  image_size: 'imageSize',
  up_to_pixels: 'upToPixels',
  at_most: 'atMost',
  at_most_seconds: 'atMost',
}

function toItem(written: WrittenItem): PriceItem {
  const named = Object.entries(written).filter(([, value]) => value !== undefined)
  return priceItem.parse(Object.fromEntries(named.map(([name, value]) => [ownNames[name] ?? name, value])))
}

/** What a picture that is made can be charged by; without any of these it would cost nothing, and nobody had said so. */
const perPicture = ['image', 'megapixel', 'second', 'reported cost', 'image out'] as const

function chargesPictures(item: PriceItem): boolean {
  return perPicture.some((one) => one === (item.per === 'million tokens' ? item.kind : item.per))
}

/** The first `image` item that no picture reaches, because one before it fits them all. */
function unreachable(items: readonly PriceItem[]): number {
  const isOpen = (item: PriceItem) => item.per === 'image' && Object.keys(item).length === 2
  const open = items.findIndex(isOpen)
  return open < 0 ? -1 : items.findIndex(({ per }, index) => index > open && per === 'image')
}

/** A list of items, at least one for the pictures that are made. */
export const configuredItems = z
  .array(configuredItem, { error: 'a list of items such as { per: image, usd: 0.04 }' })
  .min(1, { error: 'at least one item' })
  // Not a refinement: it is about items that are right one by one.
  .transform((items, context) => {
    const index = unreachable(items)
    if (index >= 0) {
      const message = 'to stand before the image item that fits every picture: the first that fits counts'
      context.addIssue({ code: 'custom', path: [index], message })
    }
    if (!items.some(chargesPictures)) {
      const message = `an item for the pictures that are made: ${perPicture.join(', ')}`
      context.addIssue({ code: 'custom', message })
    }
    return items
  })

/** How output tokens are counted where the provider does not report them; only prices for tokens need it. */
export const imageTokens = oneOf(imageTokenTables)

/** The day it was read, where the operator wants to remember it. */
export const asOf = z
  .string({ error: 'a day such as 2026-11-20' })
  .regex(/^\d{4}-\d\d-\d\d$/, { error: 'a day such as 2026-11-20' })

/** The price of a model of one's own. */
export const configuredPrice = z.strictObject({
  items: configuredItems,
  image_tokens: imageTokens.optional(),
  margin_percent: marginPercent.optional(),
  as_of: asOf.optional(),
})

/** As the catalogue has it. */
export function toPrice(written: z.infer<typeof configuredPrice>): Price {
  return {
    items: written.items,
    ...(written.image_tokens ? { imageTokens: written.image_tokens } : {}),
    ...(written.margin_percent === undefined ? {} : { marginPercent: written.margin_percent }),
    asOf: written.as_of ?? 'configured',
    source: 'gesso.yaml',
  }
}
