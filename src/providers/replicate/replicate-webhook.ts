/**
 * Messages that a prediction has ended, signed as Standard Webhooks are (Replicate's guide "Verify webhooks", read
 * 2026-11-20): HMAC-SHA256 over `id.timestamp.body`, keyed by the base64 behind `whsec_`.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { ProviderWebhook } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { predictionId } from './replicate-schema.ts'

/** Older messages may be copies of a message that somebody caught. */
const toleranceMs = 5 * 60 * 1000

/** Who signs with few bytes, or with none because their base64 is broken, signs what anybody can. */
const shortestKeyBytes = 16

const wireMessage = z.object({ id: predictionId })

/** Answers the id of the prediction. Throws `signature_invalid` for a message that is not Replicate's, or not of now. */
export function readSignedMessage(
  { headers, body }: ProviderWebhook,
  secret: string,
  now: number = Date.now(),
): { id: string } {
  const id = headers.get('webhook-id') ?? ''
  const timestamp = headers.get('webhook-timestamp') ?? ''
  const signatures = headers.get('webhook-signature') ?? ''
  if (!id || !/^\d{1,12}$/.test(timestamp)) throw notReplicates('it is not signed')
  if (Math.abs(now - Number(timestamp) * 1000) > toleranceMs) throw notReplicates('it is too old')
  const key = keyOf(secret)
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest()
  // While a secret is being changed, a message has a signature of each.
  const given = signatures.split(' ').map((one) => one.replace(/^v1,/, ''))
  if (!given.some((one) => isEqual(Buffer.from(one, 'base64'), expected))) {
    throw notReplicates('its signature is wrong')
  }
  const { data } = wireMessage.safeParse(parse(body))
  if (!data) throw notReplicates('it names no prediction')
  return data
}

/** Is it a secret that signs anything? */
export function isSigningSecret(secret: string): boolean {
  return keyOf(secret).length >= shortestKeyBytes
}

function keyOf(secret: string): Buffer {
  return Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
}

function isEqual(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other)
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

function notReplicates(reason: string): ProviderError {
  return new ProviderError({
    code: 'signature_invalid',
    attribution: 'client',
    message: `The message is not from Replicate: ${reason}.`,
    dispatched: 'no',
  })
}
