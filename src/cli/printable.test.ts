import { expect, test } from 'vitest'
import { printable, printableJson } from './printable.ts'

test.each([
  ['an escape sequence', 'a\u001b[31mred\u001b[0m', 'ared'],
  ['a title', '\u001b]0;owned\u0007fox', 'fox'],
  ['an escape sequence of one byte', 'a\u009b31mb', 'ab'],
  ['a lonely escape', 'a\u001bb', /^a?b?$/],
  ['line ends and tabs', 'a\r\nb\tc', 'a b c'],
  ['bells, deletes and NULs', 'a\u0007\u007f\u0000\u0008b', 'ab'],
  ['reversed reading', 'a\u202egnp.exe\u2066', 'agnp.exe'],
  ['separators of lines', 'a\u2028b', 'a b'],
])('%s is taken out of text', (_name, text, expected) => {
  if (typeof expected === 'string') expect(printable(text)).toBe(expected)
  else expect(printable(text)).toMatch(expected)
})

test('words of any language and emoji stay as they are', () => {
  const text = 'Füchse, 狐, ثعلب, 🦊👨‍👩‍👧'
  expect(printable(text)).toBe(text)
})

test('JSON says the same to a parser and nothing to a terminal', () => {
  const value = { prompt: 'a\u001b[31m\u009b31m\u202e\u007f\n🦊', list: [1] }
  for (const indent of [true, false]) {
    const json = printableJson(value, { indent })
    expect(JSON.parse(json)).toEqual(value)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is what is tested.
    expect(json).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
    expect(json.includes('\n')).toBe(indent)
  }
})
