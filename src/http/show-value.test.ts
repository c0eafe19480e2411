import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createSpool } from '../inputs/spool.ts'
import { cutText, showValue } from './show-value.ts'

describe('of an address only the scheme and the host are shown', () => {
  test.each([
    ['https://bob:hunter2@example.com/w', '"https://example.com/…"'],
    ['https://bob:hunter2@example.com', '"https://example.com/…"'],
    ['ftp://bob:hunter2@127.0.0.1:21/x.png', '"ftp://127.0.0.1:21/…"'],
    ['ftp://bob:hunter2@[::1]:21/x', '"ftp://[::1]:21/…"'],
    ['s3://AKIAIOSFODNN7:secret@bucket/x', '"s3://bucket/…"'],
    ['https://example.com/w?token=hunter2', '"https://example.com/…"'],
    ['https://example.com?token=hunter2', '"https://example.com/…"'],
    ['https://example.com/hunter2', '"https://example.com/…"'],
    ['https://example.com#hunter2', '"https://example.com/…"'],
    ['https://bob:hunter@2@example.com/', '"https://example.com/…"'],
    // A slash in a password, so that no parser finds the host.
    ['s3://AKIA:hun/ter2@bucket/x', '"s3://…"'],
    ['https://hunter2/@example.com/', '"https://…"'],
    ['https://bob:hunter2\\@example.com/', '"https://…"'],
    ['https://bob:hunter 2@example.com/', '"https://example.com/…"'],
    ['https:bob:hunter2@example.com', '"https:…"'],
    ['  HTTPS://bob:hunter2@Example.com/w', '"HTTPS://Example.com/…"'],
    ['//bob:hunter2@example.com/w', '"//example.com/…"'],
    ['bob:hunter2@example.com', '"bob:…"'],
    ['data:image/png,hunter2', '"data:…"'],
    ['see https://bob:hunter2@example.com/w hunter2', '"see https://example.com/…"'],
  ])('%s', (address, shown) => {
    expect(showValue(address)).toBe(shown)
    expect(shown).not.toContain('hunter')
  })

  test('however long it is', () => {
    const long = 'hunter2'.repeat(1_000)
    expect(showValue(`https://bob:${long}@example.com/w`)).toBe('"https://…" (7026 characters)')
    expect(showValue(`https://${long}`)).toBe('"https://…" (7008 characters)')
    expect(showValue(`https://example.com/${long}@`)).toBe('"https://…" (7021 characters)')
    expect(showValue(`https://example.com/${long}`)).toBe('"https://example.com/…" (7020 characters)')
  })

  test('and what is none, or says no more than that, is shown as it is', () => {
    for (const text of ['16:9', '1024X1024', 'ultra', 'a fox', 'ftp://example.com', 'x@y', 'a"b\n']) {
      expect(showValue(text)).toBe(JSON.stringify(text))
    }
  })
})

test('long texts are cut between characters, and say how long they are', () => {
  expect(showValue(`${'x'.repeat(79)}🦊tail`)).toBe(`"${'x'.repeat(79)}�"… (85 characters)`)
  expect(cutText(`${'x'.repeat(99)}🦊`, 100).isWellFormed()).toBe(true)
  expect(cutText('🦊', 2)).toBe('🦊')
})

test('what is no text is named by its kind', async () => {
  const spool = createSpool({
    directory: mkdtempSync(join(tmpdir(), 'gesso-show-')),
    memoryBytes: 1_000,
    budgetBytes: 1_000,
  })
  await using file = await spool.keep(Buffer.from('bytes'))
  expect(showValue(file)).toBe('a picture in base64')
  expect(
    [['https://bob:hunter2@x'], { url: 1 }, Number.POSITIVE_INFINITY, 7, true, null].map(showValue),
  ).toEqual(['a list', 'an object', 'a number too large to be read', '7', 'true', 'null'])
})

test('megabytes of anything are shown at once', () => {
  for (const text of ['a', ':', '/', '@', ' ', 'a:', 'a://', '//@']) {
    const startedAtMs = performance.now()
    expect(showValue(text.repeat(2_000_000)).length).toBeLessThan(200)
    expect(performance.now() - startedAtMs).toBeLessThan(2_000)
  }
})
