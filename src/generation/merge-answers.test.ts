/** What several calls tell of tokens, cost and time becomes one sum, and never one that is too low for want of a part. */
import { expect, test } from 'vitest'
import type { ProviderCompleted } from '../providers/provider.ts'
import { mergeAnswers } from './merge-answers.ts'

function answer(told: Partial<ProviderCompleted>): ProviderCompleted {
  const source = { kind: 'url', url: 'https://pictures.example/a.png', trusted: false } as const
  return { status: 'completed', images: [{ source }], ...told }
}

test('cost, time and tokens of all calls add up', () => {
  const usage = { inputTokens: 3, outputTokens: 5, inputTokensDetails: { imageTokens: 2 } }
  const one = answer({ costMicros: 30_000, seconds: 1.25, usage })
  expect(mergeAnswers([one, one, answer({ costMicros: 0, seconds: 0, usage })], [])).toMatchObject({
    images: [{}, {}, {}],
    costMicros: 60_000,
    seconds: 2.5,
    usage: { inputTokens: 9, outputTokens: 15, inputTokensDetails: { imageTokens: 6 } },
  })
})

test('what one call did not tell is not told at all', () => {
  const usage = { outputTokens: 196, inputTokens: 3 }
  const merged = mergeAnswers([answer({ costMicros: 30_000, seconds: 1, usage }), answer({})], [])
  expect(merged).not.toHaveProperty('costMicros')
  expect(merged).not.toHaveProperty('seconds')
  expect(merged).not.toHaveProperty('usage')
  const half = mergeAnswers([answer({ usage }), answer({ usage: { inputTokens: 3 } })], [])
  expect(half.usage).toEqual({ inputTokens: 6, outputTokens: undefined, totalTokens: undefined })
})

test('calls that told nothing have no cost, no time and no tokens', () => {
  const merged = mergeAnswers([answer({}), answer({})], [])
  expect(Object.keys(merged)).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/costMicros|seconds|usage/)]),
  )
})
