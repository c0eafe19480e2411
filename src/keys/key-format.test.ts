import { expect, test } from 'vitest'
import { generateKey, hashKey, isWellFormedKey, keyHint } from './key-format.ts'

test('10,000 keys are well formed, have the published form and are all different', () => {
  const keys = Array.from({ length: 10_000 }, generateKey)
  expect(new Set(keys).size).toBe(10_000)
  for (const key of keys) {
    expect(key).toMatch(/^gs_[0-9A-Za-z]{40}$/)
    expect(isWellFormedKey(key)).toBe(true)
  }
})

test('a key with any one character changed is not well formed', () => {
  const key = generateKey()
  for (let at = 3; at < key.length; at++) {
    const other = key[at] === 'a' ? 'b' : 'a'
    expect(isWellFormedKey(key.slice(0, at) + other + key.slice(at + 1))).toBe(false)
  }
})

test('random characters are spread evenly over the alphabet', () => {
  const counts = new Map<string, number>()
  for (let n = 0; n < 2_000; n++)
    for (const letter of generateKey().slice(3, 37)) counts.set(letter, (counts.get(letter) ?? 0) + 1)
  expect(counts.size).toBe(62)
  const expected = (2_000 * 34) / 62
  for (const count of counts.values()) expect(Math.abs(count - expected)).toBeLessThan(expected * 0.25)
})

test.each([
  '',
  'gs_',
  'sk-abc',
  `gs_${'a'.repeat(40)}`,
  `${generateKey()} `,
  `${generateKey()}\n`,
  generateKey().slice(1),
])('is not a key: %j', (text) => {
  expect(isWellFormedKey(text)).toBe(false)
})

test('only a hash and seven characters of a key are ever kept, three of one that somebody chose', () => {
  const key = generateKey()
  expect(hashKey(key)).toHaveLength(32)
  expect(keyHint(key)).toBe(key.slice(0, 7))
  expect(keyHint('correct-horse-battery')).toBe('cor')
})
