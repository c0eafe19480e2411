import { expect, it } from 'vitest'
import { retryAfterMs } from './retry-after.ts'

const now = Date.parse('2030-01-01T00:00:00Z')

it.each([
  [{ 'retry-after-ms': '2500', 'retry-after': '9' }, 2_500],
  [{ 'retry-after-ms': 'NaN', 'retry-after': '9' }, 9_000],
  [{ 'retry-after-ms': '250' }, 1_000],
  [{ 'retry-after': '2' }, 2_000],
  [{ 'retry-after': '2.25' }, 2_250],
  [{ 'retry-after': '0' }, 1_000],
  [{ 'retry-after': '-60' }, 1_000],
  [{ 'retry-after': 'NaN' }, 1_000],
  [{ 'retry-after': 'soon' }, 1_000],
  [{ 'retry-after': '172800' }, 3_600_000],
  [{ 'retry-after': '9'.repeat(400) }, 3_600_000],
  [{ 'retry-after': 'Tue, 01 Jan 2030 00:00:05 GMT' }, 5_000],
  [{ 'retry-after': 'Mon, 31 Dec 2029 00:00:00 GMT' }, 1_000],
  [{ 'retry-after': 'Tue, 01 Jan 2199 00:00:00 GMT' }, 3_600_000],
  [{}, undefined],
])('reads %j as %s ms', (headers, expected) => {
  expect(retryAfterMs(new Map(Object.entries(headers)), now)).toBe(expected)
})
