/** Which requests are the same. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { createSpool } from '../../inputs/spool.ts'
import { fingerprint } from './fingerprint.ts'

const directory = mkdtempSync(join(tmpdir(), 'gesso-fingerprint-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const hex = async (value: unknown) => (await fingerprint(value)).toString('hex')

const body = { prompt: 'a fox', n: 2, metadata: { a: '1', b: '2' }, image: ['https://example.com/a.png'] }

test.each<[string, unknown]>([
  ['the order of keys', { image: body.image, metadata: { b: '2', a: '1' }, n: 2, prompt: 'a fox' }],
  ['null and absent', { ...body, seed: null, size: undefined, metadata: { ...body.metadata, c: null } }],
])('says nothing: %s', async (_, same) => {
  expect(await hex(same)).toBe(await hex(body))
})

test.each<[string, unknown]>([
  ['a prompt', { ...body, prompt: 'a Fox' }],
  ['a number', { ...body, n: 3 }],
  ['a number as text', { ...body, n: '2' }],
  ['a boolean', { ...body, watermark: false }],
  ['an empty object', { ...body, sequential_image_generation_options: {} }],
  ['the order of a list', { ...body, image: ['b', 'a'] }],
  ['a list of one', { ...body, image: 'https://example.com/a.png' }],
  ['text that looks like more', { ...body, prompt: 'a fox1:nn' }],
])('is another request: %s', async (_, other) => {
  expect(await hex(other)).not.toBe(await hex(body))
})

test('two JSON values have one fingerprint only where they say the same', async () => {
  const says = (value: unknown): string =>
    JSON.stringify(value, (_, one) =>
      typeof one === 'object' && one !== null && !Array.isArray(one)
        ? Object.fromEntries(
            Object.entries(one)
              .filter(([, inner]) => inner !== null)
              .sort(([a], [b]) => (a < b ? -1 : 1)),
          )
        : one,
    )
  const seen = new Map<string, string>()
  await fc.assert(
    fc.asyncProperty(fc.jsonValue({ maxDepth: 3 }), async (value) => {
      const print = await hex(value)
      const said = seen.get(print) ?? says(value)
      seen.set(print, said)
      expect(says(value)).toBe(said)
    }),
    { numRuns: 500 },
  )
  expect(new Set(seen.values()).size).toBe(seen.size)
})

test('pictures count by their bytes, in memory and on the disk, and are not held', async () => {
  const small = Buffer.from('a picture')
  const large = Buffer.alloc(3 * 1024 * 1024, 'x')
  await using spool = createSpool({ directory, memoryBytes: 1_000, budgetBytes: 1e9 })
  const prints = new Set<string>()
  for (const bytes of [small, Buffer.from('a Picture'), large]) {
    await using one = await spool.keep(bytes)
    await using other = await spool.keep(Buffer.from(bytes))
    const print = await hex({ image: [one], prompt: 'a fox' })
    expect(await hex({ prompt: 'a fox', image: [other] })).toBe(print)
    expect(await hex({ prompt: 'a fox', image: one })).not.toBe(print)
    prints.add(print)
  }
  expect(prints.size).toBe(3)
})

test('long text is hashed whole, and others get their turn meanwhile', async () => {
  const text = 'x'.repeat(5 * 1024 * 1024)
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  const [one, other] = [
    await hex([text, text, text, text]),
    await hex([text, text, text, `${text.slice(1)}y`]),
  ]
  clearInterval(timer)
  expect(one).not.toBe(other)
  expect(turns).toBeGreaterThan(3)
  const told = `a1:s${text.length}:${text}`
  expect(await hex([text])).toBe(createHash('sha256').update(told).digest('hex'))
})
