import { expect, test } from 'vitest'
import { costText } from './cost-text.ts'

test.each([
  [{ micros: 40_000, source: 'credits' }, '$0.040'],
  [{ micros: 1_500_000, source: 'user' }, '$1.500'],
  [{ micros: 123, source: 'credits' }, '$0.000123'],
  [{ micros: 42_500, source: 'credits' }, '$0.0425'],
  [{ micros: 0, source: 'free' }, 'free'],
  [{ micros: 40_000, source: 'unmetered' }, 'not charged'],
  [{ micros: null, source: 'unmetered' }, 'unpriced'],
  [{ micros: 0, source: 'user' }, 'free'],
])('%o costs %s', (cost, expected) => {
  expect(costText(cost)).toBe(expected)
})
