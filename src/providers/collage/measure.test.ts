import { expect, test } from 'vitest'
import { measure } from './measure.ts'

test.each([
  ['absolute lines', '<path d="M10 20L110 20V100H10z"/>', { left: 10, top: 20, right: 110, bottom: 100 }],
  [
    'relative lines and packed numbers',
    '<path d="m10 20l100-10v90.500h-50.250.250z"/>',
    { left: 10, top: 10, right: 110, bottom: 100.5 },
  ],
  [
    'curves by their end points',
    '<path d="M10 10c0 0 0 0 100 0s0 90 0 90"/>',
    { left: 10, top: 10, right: 110, bottom: 100 },
  ],
  [
    'arcs with flags written together',
    '<path d="M10 60a50 50 0 01100 0v40z"/>',
    { left: 10, top: 60, right: 110, bottom: 100 },
  ],
  [
    'circles and ellipses',
    '<circle cx="40" cy="50" r="30"/><ellipse cx="90" cy="90" rx="20" ry="10"/>',
    { left: 10, top: 20, right: 110, bottom: 100 },
  ],
  ['nothing readable as the whole board', '<path d=""/>', { left: 0, top: 0, right: 128, bottom: 128 }],
  [
    'shapes beyond the board as far as its edge',
    '<path d="M-50-50H300V300z"/>',
    { left: 0, top: 0, right: 128, bottom: 128 },
  ],
])('measures %s', (_what, body, expected) => {
  expect(measure(body)).toEqual(expected)
})
