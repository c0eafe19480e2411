import { expect, test } from 'vitest'
import { exitCode } from './exit-code.ts'
import { readKeyDefaults } from './read-key-defaults.ts'

test('a value is of its field’s own type, and a label of digits is a label', () => {
  expect(
    readKeyDefaults([
      'bucket=007',
      'model=2024',
      'negative_prompt=a=b',
      'output_format=webp',
      'output_compression=40',
      'watermark=true',
      'enhance_prompt=false',
    ]),
  ).toEqual({
    bucket: '007',
    model: '2024',
    negative_prompt: 'a=b',
    output_format: 'webp',
    output_compression: 40,
    watermark: true,
    enhance_prompt: false,
  })
  expect(readKeyDefaults(['bucket=2024', 'model=true'])).toEqual({ bucket: '2024', model: 'true' })
  expect(readKeyDefaults([])).toEqual({})
})

test.each<[defaults: string[], message: RegExp]>([
  [['quality=foo'], /^--default quality is "foo", but must be one of auto, low, /],
  [['size=10x'], /^--default size is "10x", but must be auto or WxH/],
  [['bucket=!!!'], /^--default bucket is "!!!", but must be a label with at least one letter/],
  [['bucket='], /^--default bucket is "", but must be text of 1 to 200 characters/],
  [['output_format=tiff'], /^--default output_format is "tiff", but must be one of png, jpeg/],
  [['output_compression=high'], /^--default output_compression is "high", but must be a whole number/],
  [['output_compression=101'], /^--default output_compression is 101, but must be a whole number from 0/],
  [['watermark=yes'], /^--default watermark is "yes", but must be true or false/],
  [['wibble=1'], /^--default wibble is not known/],
  [['__proto__=x'], /^--default __proto__ is not known/],
  [['bucket'], /^--default bucket must be field=value/],
  [['bucket=a', 'bucket=b'], /^--default bucket is given twice/],
  [
    ['background=transparent', 'output_format=jpg'],
    /^--default background is "transparent", but must be opaque or auto beside output_format jpeg/,
  ],
])('what its callers would be refused for is usage: %j', (defaults, message) => {
  expect(() => readKeyDefaults(defaults)).toThrow(
    expect.objectContaining({
      exitCode: exitCode.usage,
      param: '--default',
      message: expect.stringMatching(message),
    }),
  )
})
