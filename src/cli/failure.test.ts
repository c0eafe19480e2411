import { expect, test } from 'vitest'
import { exitCodeOfStatus } from './failure.ts'

test.each([
  [400, 5],
  [401, 3],
  [402, 6],
  [403, 3],
  [404, 4],
  [408, 5],
  [409, 5],
  [413, 5],
  [415, 5],
  [429, 6],
  [500, 1],
  [502, 7],
  [503, 7],
  [504, 7],
])('an answer %i ends with exit code %i', (status, expected) => {
  expect(exitCodeOfStatus(status)).toBe(expected)
})
