/**
 * Messages of Black Forest Labs that work has ended. The secret that they are signed with is sent along with each
 * submission; it is made of the API key, so that every process with that key can check them and nothing is stored.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { ProviderWebhook } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { title } from './bfl-dialects.ts'
import { wireMessage } from './bfl-schema.ts'

/** 64 hex digits. */
export function webhookSecret(apiKey: string): string {
  return createHmac('sha256', apiKey).update('gesso bfl webhook').digest('hex')
}

/**
 * The id of the work that the message is about. Throws `signature_invalid` for a message that is not the vendor's,
 * `upstream_invalid_response` for one that names no work.
 */
export function readMessage({ headers, body }: ProviderWebhook, apiKey: string): { id: string } {
  const secret = webhookSecret(apiKey)
  const signature = createHmac('sha256', secret).update(body).digest('hex')
  // Its guide to webhooks signs the body (`X-BFL-Signature: sha256=…`); elsewhere the secret itself comes along.
  const signed = ['x-bfl-signature', 'x-bfl-signature-256'].some((name) =>
    isSame(
      headers
        .get(name)
        ?.trim()
        .replace(/^sha256=/i, '')
        .toLowerCase(),
      signature,
    ),
  )
  if (!signed && !isSame(headers.get('x-webhook-secret'), secret)) throw forged()
  const message = wireMessage.safeParse(parse(body))
  if (message.success) return message.data
  throw new ProviderError({
    code: 'upstream_invalid_response',
    attribution: 'upstream',
    message: `${title} sent a message that names no work.`,
    dispatched: 'yes',
  })
}

function isSame(told: string | undefined, expected: string): boolean {
  const one = Buffer.from(told ?? '')
  const other = Buffer.from(expected)
  return one.length === other.length && timingSafeEqual(one, other)
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

function forged(): ProviderError {
  return new ProviderError({
    code: 'signature_invalid',
    attribution: 'client',
    message: `The message is not signed by ${title}.`,
    dispatched: 'no',
  })
}
