/** How long an upstream asks to be left alone, within reason. */
import type { AnswerHeaders } from './http-exchange.ts'

const shortestMs = 1_000
const longestMs = 60 * 60 * 1000

/**
 * Milliseconds from `retry-after-ms` (OpenAI) or `retry-after` (RFC 9110: seconds, here also with decimals, or
 * an HTTP date), between a second and an hour. What cannot be read counts as the shortest wait; `undefined` only
 * where the upstream names none.
 */
export function retryAfterMs(headers: AnswerHeaders, now: number = Date.now()): number | undefined {
  const seconds = headers.get('retry-after')
  const asked = number(headers.get('retry-after-ms')) ?? number(seconds, 1_000)
  if (asked !== undefined) return bounded(asked)
  return seconds === undefined ? undefined : bounded(Date.parse(seconds) - now)
}

function number(text: string | undefined, factor = 1): number | undefined {
  return text !== undefined && /^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) * factor : undefined
}

function bounded(milliseconds: number): number {
  return Math.min(Math.max(Math.ceil(milliseconds) || 0, shortestMs), longestMs)
}
