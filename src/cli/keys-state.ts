/** Whether a key works, in words. */
import type { KeySummary } from '../keys/key-summary.ts'

/** `revoked`, `expired …`, `disabled`; undefined where it is in force, as far as it depends on the key. */
export function whyNotInForce(key: KeySummary, now: Date): string | undefined {
  if (key.revokedAt) return 'revoked'
  if (key.expiresAt && key.expiresAt <= now) return `expired ${minute(key.expiresAt)}`
  return key.disabledAt ? 'disabled' : undefined
}

/** The same, or until when it works. */
export function keyState(key: KeySummary, now: Date): string {
  const ended = key.revokedAt !== null || (key.expiresAt !== null && key.expiresAt <= now)
  const word = whyNotInForce(key, now) ?? 'active'
  return key.expiresAt && !ended ? `${word} until ${minute(key.expiresAt)}` : word
}

/** A time to the minute, in UTC. */
export function minute(date: Date): string {
  return `${date.toISOString().slice(0, 16)}Z`
}
