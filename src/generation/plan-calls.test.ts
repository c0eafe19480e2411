import { expect, test } from 'vitest'
import { planCalls } from './plan-calls.ts'

const last32 = 2 ** 32 - 1
const last31 = 2 ** 31 - 1

test.each<
  [
    { n: number; seed?: number },
    number,
    { min: number; max: number } | undefined,
    { n: number; seed?: number }[],
  ]
>([
  [{ n: 4 }, 10, undefined, [{ n: 4 }]],
  [{ n: 4 }, 1, undefined, [{ n: 1 }, { n: 1 }, { n: 1 }, { n: 1 }]],
  [{ n: 10 }, 4, undefined, [{ n: 4 }, { n: 4 }, { n: 2 }]],
  [{ n: 1, seed: 0 }, 1, undefined, [{ n: 1, seed: 0 }]],
  [
    { n: 5, seed: 7 },
    2,
    undefined,
    [
      { n: 2, seed: 7 },
      { n: 2, seed: 9 },
      { n: 1, seed: 11 },
    ],
  ],
  [
    { n: 3, seed: last32 - 1 },
    1,
    undefined,
    [
      { n: 1, seed: last32 - 1 },
      { n: 1, seed: last32 },
      { n: 1, seed: 0 },
    ],
  ],
  [
    { n: 4, seed: last32 - 1 },
    10,
    undefined,
    [
      { n: 2, seed: last32 - 1 },
      { n: 2, seed: 0 },
    ],
  ],
  // A model that knows 31 bits is never told a seed that it would refuse.
  [
    { n: 3, seed: last31 },
    1,
    { min: 0, max: last31 },
    [
      { n: 1, seed: last31 },
      { n: 1, seed: 0 },
      { n: 1, seed: 1 },
    ],
  ],
])('%j at %i per call, seeds to %s', (asked, imagesPerCall, lastSeed, calls) => {
  expect(planCalls(asked, imagesPerCall, lastSeed)).toEqual(calls)
})
