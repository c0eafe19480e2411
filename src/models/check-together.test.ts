import { describe, expect, test } from 'vitest'
import { checkTogether } from './check-together.ts'
import type { ImageFields } from './fields.ts'

const check = (fields: Partial<ImageFields>) => () => checkTogether({ n: 1, ...fields })
const size = (width: number, height: number) => ({ size: { width, height } })

describe('refused, naming the field that should change', () => {
  test.each<[Partial<ImageFields>, string, RegExp]>([
    [{ outputCompression: 50 }, 'output_compression', /is 50.*output_format is not given/],
    [{ outputCompression: 50, outputFormat: 'png' }, 'output_compression', /jpeg, webp and avif only.*png/],
    [{ background: 'transparent', outputFormat: 'jpeg' }, 'background', /png, webp or avif/],
    [{ ...size(1024, 1024), aspectRatio: '16:9' }, 'aspect_ratio', /16:9.*1024x1024 is 1:1/],
    [{ ...size(1024, 1536), aspectRatio: '3:2' }, 'aspect_ratio', /2:3/],
    [{ ...size(1024, 1024), imageSize: '4K' }, 'image_size', /4K.*of the class 1K/],
    [{ ...size(4096, 4096), imageSize: '512' }, 'image_size', /of the class 4K/],
    [{ mask: true }, 'mask', /without an image/],
    [{ markup: true }, 'markup', /without an image/],
    [{ images: 1, mask: true, markup: true }, 'markup', /beside a mask/],
    [{ strength: 0.5 }, 'strength', /0\.5.*no image/],
    [{ loraScale: 0.5 }, 'lora_scale', /no lora_weights/],
    [{ extraLoraWeights: ['a/b'] }, 'extra_lora_weights', /without lora_weights/],
    [{ loraWeights: 'a/b', extraLoraScale: [1] }, 'extra_lora_scale', /1 values for 0/],
    [
      { loraWeights: 'a/b', extraLoraWeights: ['c/d'], extraLoraScale: [1, 2] },
      'extra_lora_scale',
      /2 values for 1/,
    ],
    [{ series: {}, n: 2 }, 'n', /max_images/],
  ])('%j', (fields, param, message) => {
    expect(check(fields)).toThrow(expect.objectContaining({ param, code: 'invalid_image_request' }))
    expect(check(fields)).toThrow(message)
  })
})

describe('taken', () => {
  test.each<[Partial<ImageFields>]>([
    [{ outputCompression: 0, outputFormat: 'jpeg' }],
    [{ background: 'transparent', outputFormat: 'avif' }],
    [{ background: 'opaque', outputFormat: 'jpeg' }],
    [{ ...size(1792, 1024), aspectRatio: '16:9' }],
    [{ ...size(1664, 928), aspectRatio: '16:9' }],
    [{ ...size(3840, 2160), aspectRatio: '16:9', imageSize: '4K' }],
    [{ ...size(1024, 1024), imageSize: 'optimize_for_speed' }],
    [{ aspectRatio: '16:9', imageSize: '512' }],
    [{ images: 1, mask: true, strength: 0.5 }],
    [{ images: 1, markup: true }],
    [{ loraWeights: 'a/b', loraScale: 0.5, extraLoraWeights: ['c/d'], extraLoraScale: [1] }],
    [{ loraWeights: 'a/b', extraLoraWeights: ['c/d'] }],
    [{ series: { maxImages: 15 } }],
  ])('%j', (fields) => {
    expect(check(fields)).not.toThrow()
  })
})

test('a field of two names is called by the caller’s own', () => {
  const attempt = () => checkTogether({ n: 1, outputCompression: 5 }, { outputCompression: 'output_quality' })
  expect(attempt).toThrow(expect.objectContaining({ param: 'output_quality' }))
  expect(attempt).toThrow(/^output_quality is 5/)
})
