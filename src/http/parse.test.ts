import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createSpool } from '../inputs/spool.ts'
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

test.each([
  ['lora_weights', 'https://bob:hunter2@example.com/w'],
  ['lora_weights', 'http://example.com/w?token=hunter2'],
  ['quality', 's3://AKIA:hunter2@bucket/x'],
  ['extra_lora_weights.0', ['https://bob:hunter2@example.com/w']],
])('%s: a refusal says nothing of what an address holds beside its host', (param, value) => {
  const name = param.split('.')[0] ?? ''
  expect(() => parse({ ...good, [name]: value })).toThrow(
    expect.objectContaining({ param, message: expect.not.stringMatching(/hunter2|bob|AKIA/) }),
  )
})

test('a picture where text belongs is called one', async () => {
  const spool = createSpool({
    directory: mkdtempSync(join(tmpdir(), 'gesso-parse-')),
    memoryBytes: 1_000,
    budgetBytes: 1_000,
  })
  await using prompt = await spool.keep(Buffer.from('bytes'))
  expect(() => parse({ ...good, prompt })).toThrow(/^prompt is a picture in base64, but must be text\.$/)
})

describe('under handling=lenient', () => {
  const warningsOf = (unknown: object) => {
    const { value, warnings } = parseBody(generateBody, { ...good, ...unknown }, 'lenient')
    expect(Object.keys(value)).not.toEqual(expect.arrayContaining(Object.keys(unknown)))
    return warnings
  }
  const fields = (count: number, name = 'field') =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`${name}${index}`, 1]))

  test('an unknown name is cut between characters, because jsonb takes no half of one', () => {
    const [warning] = warningsOf({ [`${'a'.repeat(99)}😀tail`]: 1 })
    expect(warning?.param).toBe(`${'a'.repeat(99)}�`)
    expect(JSON.stringify(warning)).not.toContain('\\ud83d')
  })

  test('every unknown field is told: twenty in a warning each, the others by name in one more', () => {
    expect(warningsOf(fields(20))).toHaveLength(20)
    const warnings = warningsOf(fields(25))
    expect(warnings.map(({ param }) => param)).toEqual([...Object.keys(fields(20)), null])
    expect(warnings.at(-1)).toEqual({
      param: null,
      code: 'unknown_parameter',
      message:
        'and 5 more: "field20", "field21", "field22", "field23", "field24". They are not parameters of this operation and were ignored.',
    })
  })

  test('the last warning is short and well-formed, however many and long the names are', () => {
    const last = warningsOf(fields(900, '😀'.repeat(45))).at(-1)?.message ?? ''
    expect(last).toMatch(/^and 880 more: .*… They are not|^and 880 more: .*…\. They are not/)
    expect([last.length < 1_500, last.isWellFormed()]).toEqual([true, true])
  })
})
