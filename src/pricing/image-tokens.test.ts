/** The tokens that OpenAI publishes, or bills. */
import { describe, expect, test } from 'vitest'
import { mostTextTokens, outputTokens } from './image-tokens.ts'

const square = { width: 1024, height: 1024 }
const portrait = { width: 1024, height: 1536 }
const landscape = { width: 1536, height: 1024 }

describe('GPT Image 2 by its formula', () => {
  test.each([
    [square, 'low', 196],
    [square, 'medium', 1_756],
    [square, 'high', 7_024],
    [landscape, 'low', 158],
    [landscape, 'medium', 1_372],
    [landscape, 'high', 5_488],
    [portrait, 'high', 5_488],
    [{ width: 3584, height: 2048 }, 'high', 12_329],
    [{ width: 1792, height: 1024 }, 'high', 5_063],
    [{ width: 960, height: 720 }, 'low', 130],
    [square, 'standard', 1_756],
    [square, 'hd', 7_024],
  ] as const)('%j %s is %d', (size, quality, tokens) => {
    expect(outputTokens('gpt-image-2', size, quality)).toBe(tokens)
  })
})

describe('GPT Image 1 by its table', () => {
  test.each([
    ['low', 272, 408, 400],
    ['medium', 1_056, 1_584, 1_568],
    ['high', 4_160, 6_240, 6_208],
  ])('%s', (quality, ofSquare, ofPortrait, ofLandscape) => {
    const tokens = [square, portrait, landscape].map((size) => outputTokens('gpt-image-1', size, quality))
    expect(tokens).toEqual([ofSquare, ofPortrait, ofLandscape])
  })
})

test('GPT Image 1 mini comes to its published prices at 8 USD a million', () => {
  const cents = ['low', 'medium', 'high'].map(
    (quality) => outputTokens('gpt-image-1-mini', square, quality) * 8,
  )
  expect(cents).toEqual([5_000, 11_000, 36_000])
})

describe('what is not known counts as much', () => {
  test('a quality that the model chooses, or that nobody knows, is high', () => {
    for (const kind of ['gpt-image-1', 'gpt-image-1-mini', 'gpt-image-2'] as const) {
      const high = outputTokens(kind, square, 'high')
      for (const word of ['auto', undefined, 'splendid']) expect(outputTokens(kind, square, word)).toBe(high)
    }
  })

  test('xhigh and max are dearer than high, each in its turn', () => {
    const tokens = ['high', 'xhigh', 'max'].map((quality) => outputTokens('gpt-image-2', square, quality))
    expect(tokens).toEqual([7_024, 15_804, 28_096])
  })

  test('a picture of so many pixels is as dear as its dearest shape', () => {
    for (const kind of ['gpt-image-1', 'gpt-image-2'] as const) {
      const most = outputTokens(kind, { pixels: 1_572_864 }, 'high')
      for (const size of [square, portrait, landscape, { width: 2048, height: 768 }])
        expect(outputTokens(kind, size, 'high')).toBeLessThanOrEqual(most)
    }
  })

  test('text has no more tokens than bytes, and a few beside them', () => {
    expect(mostTextTokens(0, 0)).toBe(16)
    expect(mostTextTokens(100, 2)).toBe(180)
  })
})
