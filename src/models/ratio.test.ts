import { describe, expect, test } from 'vitest'
import { classFor, classOf, ratioError, ratioText, ratioValue, sizeNear, targetPixels } from './ratio.ts'
import { type SizeRange, sizeFits } from './size-rule.ts'

test.each([
  ['16:9', 16 / 9],
  ['1:1', 1],
  ['9999:1', 9999],
  ['1:9999', 1 / 9999],
])('%s is %d', (text, value) => {
  expect(ratioValue(text)).toBeCloseTo(value, 10)
})

test.each([
  [1920, 1080, '16:9'],
  [1024, 1024, '1:1'],
  [1664, 928, '52:29'],
  [7, 5, '7:5'],
])('%ix%i is %s', (width, height, text) => {
  expect(ratioText({ width, height })).toBe(text)
})

test('the distance from a ratio is a share of it, whichever way the picture stands', () => {
  expect(ratioError({ width: 1792, height: 1024 }, 16 / 9)).toBeCloseTo(0.0156, 3)
  expect(ratioError({ width: 110, height: 100 }, 1)).toBeCloseTo(0.1, 10)
})

describe('resolution classes', () => {
  test.each([
    [256, 256, '512'],
    [512, 512, '512'],
    [768, 768, '512'],
    [1024, 1024, '1K'],
    [1664, 928, '1K'],
    [1920, 1080, '1K'],
    [2048, 2048, '2K'],
    [2560, 1440, '2K'],
    [3840, 2160, '4K'],
    [4096, 4096, '4K'],
  ])('%ix%i is %s', (width, height, name) => {
    expect(classOf({ width, height })).toBe(name)
  })

  test('a picture aimed at a class is of that class', () => {
    for (const name of ['512', '1K', '2K', '4K'] as const) {
      const edge = Math.sqrt(targetPixels(name))
      expect(classOf({ width: edge, height: edge })).toBe(name)
    }
  })

  test('quick is small, good is what models do by themselves', () => {
    expect(classFor('optimize_for_speed')).toBe('512')
    expect(classFor('optimize_for_quality')).toBe('1K')
    expect(targetPixels(undefined)).toBe(targetPixels('1K'))
  })
})

describe('the nearest size of a range', () => {
  const sixteens: SizeRange = {
    kind: 'range',
    minEdge: 16,
    maxEdge: 3840,
    multipleOf: 16,
    minPixels: 655_360,
    maxPixels: 8_294_400,
    maxRatio: 3,
  }

  test.each([
    [1, 1024 ** 2, '1024x1024'],
    [16 / 9, 3840 * 2160, '3840x2160'],
    [9 / 16, 3840 * 2160, '2160x3840'],
    [1, 99_999 ** 2, '2880x2880'],
  ])('ratio %d and %i pixels: %s', (ratio, pixels, text) => {
    const size = sizeNear(sixteens, ratio, pixels)
    expect(`${size?.width}x${size?.height}`).toBe(text)
  })

  test('a ratio beyond the range becomes the outermost that fits', () => {
    const size = sizeNear(sixteens, 100, 1024 ** 2)
    expect(size && sizeFits(sixteens, size)).toBe(true)
    expect(size && size.width / size.height).toBeCloseTo(3, 1)
  })

  test('bounds that are no multiples themselves are kept to', () => {
    const odd: SizeRange = { kind: 'range', minEdge: 100, maxEdge: 1000, multipleOf: 64 }
    for (const ratio of [0.01, 0.5, 1, 2, 100]) {
      for (const pixels of [1, 250_000, 10 ** 9]) {
        const size = sizeNear(odd, ratio, pixels)
        expect(size && sizeFits(odd, size), `${ratio} ${pixels}`).toBe(true)
      }
    }
  })

  test('a range without any size answers nothing', () => {
    expect(sizeNear({ kind: 'range', minEdge: 65, maxEdge: 127, multipleOf: 64 }, 1, 10_000)).toBeUndefined()
    const tooFew: SizeRange = { kind: 'range', minEdge: 1, maxEdge: 10, minPixels: 101 }
    expect(sizeNear(tooFew, 1, 100)).toBeUndefined()
  })
})
