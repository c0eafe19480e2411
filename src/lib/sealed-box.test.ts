import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { createSealedBox, SealError, type Sealed } from './sealed-box.ts'
import { Secret } from './secret.ts'

const text = new Secret('sk-proj-0123456789abcdefghij')
const secret = new Secret('a server secret of more than 32 characters')
const other = new Secret('another secret of more than 32 characters!')
const purpose = 'gesso tests'
const box = createSealedBox({ purpose, secret })
const place = ['acct_1', 'openai']

function reasonOf(open: () => unknown): string {
  try {
    open()
  } catch (error) {
    expect(error).toBeInstanceOf(SealError)
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('sk-proj')
    return error instanceof SealError ? error.reason : ''
  }
  return 'it opened'
}

test('what is sealed is the same text again, whatever letters it has', () => {
  for (const one of ['', 'x', text.reveal(), 'ключ 🔑', 'a'.repeat(5_000)]) {
    expect(box.open(box.seal(new Secret(one), place), place).reveal()).toBe(one)
  }
})

test('the same text is sealed differently each time, and leaves no trace in the bytes', () => {
  const sealed = Array.from({ length: 50 }, () => box.seal(text, place).sealed)
  expect(new Set(sealed.map((one) => one.toString('hex'))).size).toBe(50)
  expect(new Set(sealed.map((one) => one.subarray(1, 13).toString('hex'))).size).toBe(50)
  for (const one of sealed) {
    for (let start = 0; start + 4 <= text.reveal().length; start += 1) {
      expect(one.includes(text.reveal().slice(start, start + 4))).toBe(false)
    }
  }
})

test('the bytes say their format: a version, a nonce, the text, a tag', () => {
  const { sealed } = box.seal(text, place)
  expect(sealed[0]).toBe(1)
  expect(sealed.length).toBe(1 + 12 + text.reveal().length + 16)
})

test.each([
  ['another account', ['acct_2', 'openai']],
  ['another provider', ['acct_1', 'azure']],
  ['the same letters cut elsewhere', ['acct_1o', 'penai']],
  ['less', ['acct_1']],
  ['more', ['acct_1', 'openai', '']],
])('it cannot be opened for %s', (_name, elsewhere) => {
  expect(reasonOf(() => box.open(box.seal(text, place), elsewhere))).toBe('not for here')
})

test('a changed bit, a cut and foreign bytes are noticed', () => {
  const { secretId, sealed } = box.seal(text, place)
  for (let index = 0; index < sealed.length; index += 1) {
    const changed = Buffer.from(sealed)
    changed[index] = (changed[index] ?? 0) ^ 1
    expect(reasonOf(() => box.open({ secretId, sealed: changed }, place))).toBe('not for here')
  }
  for (const length of [0, 1, 12, 28, sealed.length - 1]) {
    const cut = sealed.subarray(0, length)
    expect(reasonOf(() => box.open({ secretId, sealed: cut }, place))).toBe('not for here')
  }
})

describe('a change of the secret', () => {
  const renewed = createSealedBox({ purpose, secret: other, previous: [secret] })

  test('leaves what the previous one sealed readable, and seals with the new one', () => {
    const old = box.seal(text, place)
    expect(renewed.open(old, place).reveal()).toBe(text.reveal())
    expect(renewed.knows(old.secretId)).toBe(true)
    const anew = renewed.seal(text, place)
    expect(anew.secretId).toBe(renewed.secretId)
    expect(anew.secretId).not.toBe(old.secretId)
    expect(reasonOf(() => box.open(anew, place))).toBe('unknown secret')
  })

  test('without the previous one is told as such', () => {
    const sealed: Sealed = box.seal(text, place)
    const alone = createSealedBox({ purpose, secret: other })
    expect(alone.knows(sealed.secretId)).toBe(false)
    expect(reasonOf(() => alone.open(sealed, place))).toBe('unknown secret')
  })
})

test('keys of another purpose open nothing, and neither name nor key shows the secret', () => {
  const elsewhere = createSealedBox({ purpose: 'something else', secret })
  const sealed = box.seal(text, place)
  expect(reasonOf(() => elsewhere.open(sealed, place))).toBe('unknown secret')
  expect(reasonOf(() => elsewhere.open({ ...sealed, secretId: elsewhere.secretId }, place))).toBe(
    'not for here',
  )
  expect(box.secretId).toMatch(/^[0-9a-f]{16}$/)
  expect(inspect(box, { depth: 9, showHidden: true })).not.toContain('server secret')
})

test('the same secret has the same name and opens the same texts in every process', () => {
  const again = createSealedBox({ purpose, secret: new Secret(secret.reveal()) })
  expect(again.secretId).toBe(box.secretId)
  expect(again.open(box.seal(text, place), place).reveal()).toBe(text.reveal())
})
