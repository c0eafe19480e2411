import { expect, test } from 'vitest'
import { parseBody } from './parse.ts'
import { generateBody } from './v1/images/generate-schema.ts'

const good = { model: 'gesso-collage', prompt: 'a red fox' }
const parse = (body: unknown) => parseBody(generateBody, body, 'default').value

test.each<[string, unknown, string | null, RegExp]>([
  ['no body', undefined, null, /^The body is empty; send a JSON object\.$/],
  ['null for a body', null, null, /^The body is empty/],
  [
    'a number beyond all',
    JSON.parse('{"seed":1e309}'),
    'seed',
    /^seed is a number too large to be read, but/,
  ],
  [
    'an endless prompt',
    { prompt: 'a'.repeat(1_000_001) },
    'prompt',
    /^prompt is "a{80}"… \(1000001 characters\), but must be text of at most 1,000,000 characters\.$/,
  ],
  ['an endless blank', { prompt: ' '.repeat(1_000_001) }, 'prompt', /at most 1,000,000 characters/],
  ['an endless size', { size: '1'.repeat(5_000_000) }, 'size', /^size is "1{80}"… .* auto or WxH/],
  ['an endless word', { quality: 'x'.repeat(5_000_000) }, 'quality', /^quality is "x{80}"… /],
  [
    'an endless text where only one value passes',
    { stream: 'x'.repeat(5_000_000) },
    'stream',
    /^stream is "x/,
  ],
  [
    'a pair cut in half for the message',
    { quality: `${'x'.repeat(79)}🦊` },
    'quality',
    /^quality is "x{79}�"… /,
  ],
])('%s is refused in few words, quickly', (_name, body, param, message) => {
  const startedAtMs = performance.now()
  expect(() => parse(typeof body === 'object' && body !== null ? { ...good, ...body } : body)).toThrow(
    expect.objectContaining({ param, message: expect.stringMatching(message) }),
  )
  expect(performance.now() - startedAtMs).toBeLessThan(2_000)
})

test('a million characters of prompt pass the door; the limit is the model’s', () => {
  expect(parse({ ...good, prompt: 'a'.repeat(1_000_000) })).toHaveProperty('prompt.length', 1_000_000)
})
