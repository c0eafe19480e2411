/** The cell that says which pictures a model draws is one line, and true. */
import { expect, test } from 'vitest'
import { sizesText } from './models.ts'

const none = { support: 'unsupported' }

test.each([
  ['its own choice', { size: none, aspect_ratio: none }, 'chosen by the model'],
  ['nothing that is told', {}, 'any'],
  [
    'ratios',
    { size: none, aspect_ratio: { support: 'native', enum: ['1:1', '16:9'] } },
    'by aspect_ratio: 1:1, 16:9',
  ],
  ['a list', { size: { support: 'native', enum: ['auto', '64x64', '96x64'] } }, '64x64, 96x64'],
  [
    'a long list',
    { size: { enum: ['auto', '1x1', '2x1', '3x1', '4x1', '5x1', '6x1', '7x1', '8x1'] } },
    '1x1, 2x1, 3x1, 4x1, 5x1, 6x1 and 2 more',
  ],
  ['edges', { size: { min_edge: 64, max_edge: 4096 } }, '64 to 4096 px a side'],
  [
    'edges and a largest area',
    { size: { min_edge: 64, max_edge: 4096, multiple_of: 16, max_pixels: 4_194_304 } },
    '64 to 4096 px a side in steps of 16, up to 4.2 MP',
  ],
  [
    'edges and two areas',
    { size: { min_edge: 480, max_edge: 16383, min_pixels: 3_686_400, max_pixels: 16_777_216 } },
    '480 to 16383 px a side, 3.7 to 16.8 MP',
  ],
])('%s', (_name, rules, text) => {
  expect(sizesText(rules)).toBe(text)
})
