/**
 * fal's signature on a webhook: ED25519 with one of the keys that fal publishes. From
 * https://fal.ai/docs/documentation/model-apis/inference/webhooks, read 2026-11-20.
 */
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto'
import type { ProviderHttp } from '../http.ts'
import type { ProviderWebhook } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import type { ProviderNames } from '../vendor-failure.ts'
import { wireKeys } from './fal-schema.ts'

export const defaultJwksUrl = 'https://rest.fal.ai/.well-known/jwks.json'

const toleranceSeconds = 300
const keptMs = 24 * 60 * 60 * 1000
/**
 * A signature that no key fits may mean new keys; forgeries must not make Gesso ask for them all the time, however many
 * come at once and whether or not fal answers.
 */
const askedAtMostEveryMs = 60_000
const longestQuestionMs = 10_000

export interface WebhookReader {
  /** The id of the request that the message is about. Throws `ProviderError` for a message that is not fal's. */
  read(webhook: ProviderWebhook): Promise<{ id: string }>
}

/** Keeps fal's keys for a day. */
export function createWebhookReader(dependencies: {
  http: ProviderHttp
  names: ProviderNames
  jwksUrl: string
  timeoutMs: number
}): WebhookReader {
  let known: { keys: KeyObject[]; atMs: number } | undefined
  /** The latest question, whoever waits for its answer and whatever that is. */
  let asked: { keys: Promise<KeyObject[]>; atMs: number } | undefined
  const keysNotOlderThan = async (ageMs: number): Promise<KeyObject[]> => {
    if (known && Date.now() - known.atMs < ageMs) return known.keys
    if (!asked || Date.now() - asked.atMs >= askedAtMostEveryMs) {
      asked = { keys: fetchKeys(dependencies), atMs: Date.now() }
    }
    const { keys, atMs } = asked
    known = { keys: await keys, atMs }
    return known.keys
  }
  return {
    async read({ headers, body }) {
      const id = headers.get('x-fal-webhook-request-id') ?? ''
      const userId = headers.get('x-fal-webhook-user-id') ?? ''
      const timestamp = headers.get('x-fal-webhook-timestamp') ?? ''
      const hex = headers.get('x-fal-webhook-signature') ?? ''
      if (!id || !userId || !/^\d{1,12}$/.test(timestamp) || !/^[0-9a-f]{128}$/i.test(hex)) {
        throw notSigned('it lacks the headers of a signature')
      }
      if (Math.abs(Date.now() / 1000 - Number(timestamp)) > toleranceSeconds) {
        throw notSigned('its timestamp is not of the last minutes')
      }
      const sum = createHash('sha256').update(body).digest('hex')
      const message = Buffer.from([id, userId, timestamp, sum].join('\n'))
      const signature = Buffer.from(hex, 'hex')
      for (const ageMs of [keptMs, askedAtMostEveryMs]) {
        const keys = await keysNotOlderThan(ageMs)
        if (keys.some((key) => verify(null, message, key, signature))) return { id }
      }
      throw notSigned('no key of fal fits its signature')
    },
  }
}

async function fetchKeys({
  http,
  names,
  jwksUrl,
  timeoutMs,
}: Parameters<typeof createWebhookReader>[0]): Promise<KeyObject[]> {
  const answer = await http.getJson({
    title: names.title,
    url: jwksUrl,
    timeoutMs: Math.min(timeoutMs, longestQuestionMs),
    maxResponseBytes: 64 * 1024,
  })
  const parsed = wireKeys.safeParse(answer.json)
  const keys = (parsed.data?.keys ?? []).flatMap((key) => (key ? readKey(key.x) : []))
  if (keys.length === 0) throw noKeys(names, `status ${answer.status}: ${answer.excerpt()}`)
  return keys
}

/** A key that is none is left out; the others may fit. */
function readKey(x: string): KeyObject[] {
  try {
    return [createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })]
  } catch {
    return []
  }
}

/** Nothing is known of the message yet, so it may come again. */
function noKeys({ title }: ProviderNames, detail: string): ProviderError {
  return new ProviderError({
    code: 'upstream_unavailable',
    attribution: 'upstream',
    message: `${title} does not tell the keys that sign its messages.`,
    detail,
    retryable: true,
    dispatched: 'no',
  })
}

function notSigned(reason: string): ProviderError {
  return new ProviderError({
    code: 'signature_invalid',
    attribution: 'client',
    message: `This is no message of fal: ${reason}.`,
    dispatched: 'no',
  })
}
