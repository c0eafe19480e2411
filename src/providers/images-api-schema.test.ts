import { describe, expect, it } from 'vitest'
import { shortText, wireImage, wireReply } from './images-api-schema.ts'

/** As it comes from the wire. */
function image(json: string) {
  return wireImage.parse(JSON.parse(`{"b64_json":"iVBORw0KGgo=",${json}}`))
}

describe('what stands beside a picture', () => {
  it.each([
    '1.5',
    '-1',
    '12345678901234567890',
    '1234567890123456789',
    '9007199254740992',
    '1e308',
    '1e999',
    '"7"',
    '[]',
    '{}',
    'true',
  ])('has no seed where it says %s, and the picture stays', (seed) => {
    expect(image(`"seed":${seed}`)).toEqual({ b64_json: 'iVBORw0KGgo=' })
  })

  it.each(['0', '7', '7.0', '9007199254740991'])('has the seed %s', (seed) => {
    expect(image(`"seed":${seed}`).seed).toBe(Number(seed))
  })

  it.each([
    ['"a\\u0000 heron"', 'a heron'],
    ['"a \\ud83d heron"', 'a \ufffd heron'],
    ['"\\u0000"', undefined],
    ['""', undefined],
    ['null', undefined],
    ['["a"]', undefined],
    ['{"a":1}', undefined],
    [JSON.stringify('é'.repeat(1_000_000)), 'é'.repeat(32_000)],
  ])('has a revised prompt that can be stored: %#', (revisedPrompt, expected) => {
    expect(image(`"revised_prompt":${revisedPrompt}`).revised_prompt).toBe(expected)
  })

  it('has no picture where a decoded text stands in the place of another', () => {
    const decoded = Buffer.from('a text that looks like base64')
    expect(wireImage.parse({ revised_prompt: decoded, seed: decoded }).revised_prompt).toBeUndefined()
    expect(wireImage.parse({ b64_json: Buffer.alloc(0), url: '' })).toEqual({})
  })

  it.each(['size', 'quality', 'background'] as const)('has a %s that can be stored, or none', (field) => {
    const read = (value: unknown) => wireReply.parse({ data: [{}], [field]: value })[field]
    expect(read('high\0')).toBe('high')
    expect(read('x'.repeat(1_000_000))).toBe('x'.repeat(100))
    for (const odd of ['\0', '', 7, {}, [], null, true]) expect(read(odd)).toBeUndefined()
  })

  it.each([-1, 1.5, 1e308, Number.POSITIVE_INFINITY, Number.NaN, '7', null, {}])(
    'has no count of tokens where it says %s',
    (odd) => {
      const details = { text_tokens: odd, image_tokens: 3, cached_tokens: odd }
      const usage = { input_tokens: odd, output_tokens: 7, total_tokens: odd, input_tokens_details: details }
      expect(wireReply.parse({ data: [], usage }).usage).toEqual({
        output_tokens: 7,
        input_tokens_details: { image_tokens: 3 },
      })
    },
  )

  it.each([7, 'x', [], null])('has no usage where it says %j', (odd) => {
    const details = { input_tokens_details: odd, output_tokens_details: odd }
    expect(wireReply.parse({ data: [], usage: odd }).usage ?? {}).toEqual({})
    expect(wireReply.parse({ data: [], usage: details }).usage).toEqual({})
  })

  it('has an error in short, well-formed words', () => {
    const error = { message: 'm'.repeat(5_000), type: 't\0', code: 429, param: ['x'] }
    expect(wireReply.parse({ error }).error).toEqual({ message: 'm'.repeat(2_000), type: 't', code: '429' })
    expect(wireReply.parse({ error: { code: { a: 1 } } }).error).toEqual({})
    expect(shortText.parse(undefined)).toBeUndefined()
  })
})
