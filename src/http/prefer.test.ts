import { expect, test } from 'vitest'
import { readPreferences } from './prefer.ts'

test.each([
  [undefined, { handling: 'default', waits: true }],
  ['', { handling: 'default', waits: true }],
  ['handling=strict', { handling: 'strict', waits: true, applied: 'handling=strict' }],
  ['Handling = "Lenient" ; foo=bar', { handling: 'lenient', waits: true, applied: 'handling=lenient' }],
  ['wait=0', { handling: 'default', waits: false }],
  ['WAIT="0", handling=strict', { handling: 'strict', waits: false, applied: 'handling=strict' }],
  ['return=minimal, wait=30, wait=0', { handling: 'default', waits: true }],
  ['wait', { handling: 'default', waits: true }],
  ['wait=-1', { handling: 'default', waits: true }],
  ['wait=soon', { handling: 'default', waits: true }],
  ['respond-async', { handling: 'default', waits: true }],
])('%s', (header, preferences) => {
  expect(readPreferences(header)).toEqual(preferences)
})

test('a header that was sent twice is one list, and another handling is refused', () => {
  expect(readPreferences(['wait=0', 'handling=lenient'])).toMatchObject({ handling: 'lenient', waits: false })
  expect(() => readPreferences('handling=rough')).toThrow('use strict or lenient')
})
