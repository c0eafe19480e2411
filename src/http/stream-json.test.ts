import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { Base64, streamJson } from './stream-json.ts'

test.each([0, 1, 2, 3, 49_151, 49_152, 49_153, 300_000])(
  '%i bytes arrive as their base64, and the length is right',
  async (size) => {
    const bytes = randomBytes(size)
    const { stream, contentLength } = streamJson({
      before: 'ü',
      data: [{ b64_json: new Base64(bytes) }, { b64_json: new Base64(bytes) }],
      after: 1,
    })
    const text = Buffer.concat(await stream.toArray())
    const whole = bytes.toString('base64')
    expect(text.length).toBe(contentLength)
    expect(JSON.parse(text.toString())).toEqual({
      before: 'ü',
      data: [{ b64_json: whole }, { b64_json: whole }],
      after: 1,
    })
  },
)

test('a large picture is never one large text: pieces stay small', async () => {
  const { stream } = streamJson({ b64_json: new Base64(randomBytes(5_000_000)) })
  let largest = 0
  for await (const piece of stream) largest = Math.max(largest, (piece as Buffer).length)
  expect(largest).toBeLessThanOrEqual(64 * 1024)
})

test('a value without pictures is plain JSON; undefined fields are left out', async () => {
  const { stream, contentLength } = streamJson({ a: 1, b: undefined })
  expect(Buffer.concat(await stream.toArray()).toString()).toBe('{"a":1}')
  expect(contentLength).toBe(7)
})
