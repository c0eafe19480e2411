/** The banner stays readable however many models there are. */
import { expect, test } from 'vitest'
import { modelsText } from './serve.ts'

const ids = (count: number) => Array.from({ length: count }, (_, index) => `m${index + 1}`)

test.each([
  [1, 54, 'm1, and 54 more with a provider key'],
  [2, 0, 'm1, m2'],
  [7, 0, 'm1, m2, m3, m4, m5, m6, m7'],
  [8, 3, 'm1, m2, m3, m4, m5, m6, and 2 more that `gesso models` lists, and 3 more with a provider key'],
])('%i models that work and %i that do not', (available, unavailable, text) => {
  expect(modelsText({ available: ids(available), unavailable })).toBe(text)
})
