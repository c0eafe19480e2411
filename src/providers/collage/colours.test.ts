import { describe, expect, test } from 'vitest'
import { mapColours, mix, toHex, toOklch } from './colours.ts'
import { recolouring } from './recolour.ts'

describe('colour arithmetic', () => {
  test.each(['#000000', '#ffffff', '#e0362c', '#2f6fe4', '#8fd414', '#123456'])(
    '%s survives the way to OKLCH and back',
    (hex) => {
      expect(toHex(toOklch(hex))).toBe(hex)
    },
  )

  test('short hex is read as long hex', () => {
    expect(toOklch('#fa0')).toEqual(toOklch('#ffaa00'))
  })

  test('colours that no screen shows keep their hue', () => {
    const { h } = toOklch(toHex({ l: 0.7, c: 0.9, h: 145 }))
    expect(Math.abs(h - 145)).toBeLessThan(4)
  })

  test('a mix begins and ends at its colours', () => {
    expect(mix('#102030', '#f0e0d0', 0)).toBe('#102030')
    expect(mix('#102030', '#f0e0d0', 1)).toBe('#f0e0d0')
  })

  test('a map reaches attributes and never ids', () => {
    expect(mapColours('<path fill="#abc" stroke="#AABBCC" clip-path="url(#fade)"/>', () => '#000000')).toBe(
      '<path fill="#000000" stroke="#000000" clip-path="url(#fade)"/>',
    )
  })
})

describe('recolouring', () => {
  const icon = {
    name: 'test',
    bounds: { left: 0, top: 0, right: 128, bottom: 128 },
    body: '<path fill="#ff6011" d="M0 0h120v120z"/><path fill="#c04000" d="M0 0h60v60z"/><path fill="#ffffff" d="M0 0h20v20z"/><path fill="#2d2a25" d="M0 0h9v9z"/>',
  }
  const map = recolouring(icon, '#2f6fe4')

  test('the main colour becomes the wanted one and its shade a darker tone of it', () => {
    expect(map('#ff6011')).toBe('#2f6fe4')
    expect(toOklch(map('#c04000')).l).toBeLessThan(toOklch('#2f6fe4').l)
    expect(Math.abs(toOklch(map('#c04000')).h - toOklch('#2f6fe4').h)).toBeLessThan(20)
  })

  test('white and black parts stay as they are', () => {
    expect(map('#ffffff')).toBe('#ffffff')
    expect(map('#2d2a25')).toBe('#2d2a25')
  })
})
