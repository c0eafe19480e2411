import { expect, test } from 'vitest'
import { translateQuality } from './quality.ts'

const gpt = ['auto', 'low', 'medium', 'high']
const dallE3 = ['standard', 'hd']

test.each([
  ['standard', gpt, 'medium'],
  ['hd', gpt, 'high'],
  ['medium', dallE3, 'standard'],
  ['high', dallE3, 'hd'],
])('%s is said in the words of %j: %s', (asked, values, sent) => {
  expect(translateQuality(asked, values)).toBe(sent)
})

test('a word that the model has stays, even where it has the twin too', () => {
  expect(translateQuality('standard', ['standard', 'medium'])).toBe('standard')
})

test.each([
  ['max', gpt],
  ['low', dallE3],
  ['auto', dallE3],
  ['hd', ['standard']],
  ['toString', gpt],
  ['__proto__', gpt],
])('%s, for which %j have no word, stays as it is', (asked, values) => {
  expect(translateQuality(asked, values)).toBe(asked)
})

test('a model that lists no words is told the caller’s own', () => {
  expect(translateQuality('hd', undefined)).toBe('hd')
})
