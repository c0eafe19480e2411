/** What a task came to, for everyone whom it concerns: its account, the operator, and spend limits. */
import { expect, test } from 'vitest'
import type { Price } from '../models/price.ts'
import type { PricedWork } from '../pricing/priced-work.ts'
import { billWork } from './bill.ts'
import type { Funding } from './underway-task.ts'

const price: Price = {
  items: [{ per: 'image', micros: 100 }],
  marginPercent: 10,
  asOf: '2026-11-21',
  source: 'https://example.com/pricing',
}
const work: PricedWork = { n: 4, calls: 1, inputImages: 0, promptBytes: 5, partialImages: 0 }
const square = { width: 1024, height: 1024 }
const three = { images: [square, square, square] }

const bill = (funding: Partial<Funding>, delivery = {}) =>
  billWork(
    { source: 'unmetered', reservedMicros: 0, quotedMicros: 440, ...funding },
    { pricing: { price, work } },
    { ...three, ...delivery },
  )

test.each<[Partial<Funding>, { chargedMicros: number; spentMicros: number; told: number }]>([
  [
    { source: 'credits', reservedMicros: 440 },
    { chargedMicros: 330, spentMicros: 330, told: 330 },
  ],
  [
    { source: 'credits', reservedMicros: 200 },
    { chargedMicros: 200, spentMicros: 200, told: 200 },
  ],
  [{ source: 'unmetered' }, { chargedMicros: 0, spentMicros: 330, told: 330 }],
  [
    { source: 'unmetered', quotedMicros: 300 },
    { chargedMicros: 0, spentMicros: 300, told: 330 },
  ],
  [{ source: 'free' }, { chargedMicros: 0, spentMicros: 0, told: 0 }],
  [{ source: 'user' }, { chargedMicros: 0, spentMicros: 0, told: 0 }],
])('paid by %j', (funding, { chargedMicros, spentMicros, told }) => {
  const came = bill(funding)
  expect(came.bill).toEqual({ listMicros: 330, providerMicros: 300, chargedMicros, spentMicros })
  expect(came.cost).toMatchObject({ micros: told, source: funding.source })
})

test('a picture that was lost on the way is the operator’s to pay', () => {
  const came = bill({ source: 'credits', reservedMicros: 440 }, { made: 4 })
  expect(came.bill).toMatchObject({ listMicros: 330, chargedMicros: 330, providerMicros: 400 })
})

test.each<[unknown, number | null]>([
  [30_000.2, 30_001],
  [0, 0],
  [undefined, null],
  [Number.NaN, null],
  [-1, null],
  [1e308, null],
  [2 ** 52, null],
  ['30000', null],
])(
  'of a model without a price what the provider says is kept, where it can be: %j',
  (reported, providerMicros) => {
    // What came over the wire has the type that its sender gave it.
    const delivery = { ...three, reportedMicros: reported as number }
    const { bill: came, cost } = billWork(
      { source: 'unmetered', reservedMicros: 0, quotedMicros: null },
      {},
      delivery,
    )
    expect(came).toEqual({ listMicros: null, providerMicros, chargedMicros: 0, spentMicros: 0 })
    expect(cost).toEqual({ micros: null, currency: 'USD', source: 'unmetered', unpriced: true })
  },
)
