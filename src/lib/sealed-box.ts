/**
 * Secrets that must be read again are kept sealed: AES-256-GCM with a key of its own that is derived from the server's
 * secret. A sealed text is bound to where it belongs, so that it cannot be opened anywhere else, and says which secret
 * it needs, so that the secret can be changed. Nothing here ever puts what it sealed into an error.
 *
 * The bytes: the format's version (1), a nonce of 12 bytes, the sealed text, a tag of 16 bytes.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { Secret } from './secret.ts'

export interface Sealed {
  /** Names the secret it was sealed with; says nothing about it. */
  secretId: string
  sealed: Buffer
}

export interface SealedBox {
  /** Names the secret with which this box seals. */
  readonly secretId: string
  /** Does the box know the secret of this name, the present one or an earlier one? */
  knows(secretId: string): boolean
  /** Seals a text. `boundTo` says where it belongs, such as an account and a provider; opening needs the same. */
  seal(text: Secret, boundTo: readonly string[]): Sealed
  /** The text again. Throws `SealError`. */
  open(sealed: Sealed, boundTo: readonly string[]): Secret
}

/** Why a sealed text stays closed. */
export class SealError extends Error {
  override name = 'SealError'
  /** The secret is not here; or the text was sealed for another place, or changed, or is none. */
  readonly reason: 'unknown secret' | 'not for here'

  constructor(reason: 'unknown secret' | 'not for here') {
    super(reason === 'unknown secret' ? 'sealed with a secret that is not here' : 'sealed for another place')
    this.reason = reason
  }
}

const version = 1
const nonceBytes = 12
const tagBytes = 16
const algorithm = 'aes-256-gcm'

/** `purpose` keeps the keys of one use apart from those of every other. `previous` are secrets that still open. */
export function createSealedBox(options: {
  purpose: string
  secret: Secret
  previous?: readonly Secret[]
}): SealedBox {
  const { purpose, secret, previous = [] } = options
  const current = deriveKey(secret, purpose)
  const keys = new Map(
    [...previous.map((one) => deriveKey(one, purpose)), current].map((key) => [key.id, key]),
  )
  return {
    secretId: current.id,
    knows: (secretId) => keys.has(secretId),
    seal(text, boundTo) {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv(algorithm, current.bytes, nonce, { authTagLength: tagBytes })
      cipher.setAAD(place(boundTo))
      const closed = Buffer.concat([cipher.update(text.reveal(), 'utf8'), cipher.final()])
      const sealed = Buffer.concat([Buffer.of(version), nonce, closed, cipher.getAuthTag()])
      return { secretId: current.id, sealed }
    },
    open({ secretId, sealed }, boundTo) {
      const key = keys.get(secretId)
      if (!key) throw new SealError('unknown secret')
      if (sealed.length < 1 + nonceBytes + tagBytes || sealed[0] !== version)
        throw new SealError('not for here')
      const nonce = sealed.subarray(1, 1 + nonceBytes)
      const decipher = createDecipheriv(algorithm, key.bytes, nonce, { authTagLength: tagBytes })
      decipher.setAAD(place(boundTo))
      decipher.setAuthTag(sealed.subarray(-tagBytes))
      const opened = decipher.update(sealed.subarray(1 + nonceBytes, -tagBytes))
      try {
        return new Secret(Buffer.concat([opened, decipher.final()]).toString('utf8'))
      } catch {
        throw new SealError('not for here')
      }
    },
  }
}

/** The key and its name. Whoever knows the name knows nothing of the key or of the secret. */
function deriveKey(secret: Secret, purpose: string): { id: string; bytes: Buffer } {
  const derive = (info: string, length: number) =>
    Buffer.from(hkdfSync('sha256', secret.reveal(), '', info, length))
  return { id: derive(`${purpose} id`, 8).toString('hex'), bytes: derive(purpose, 32) }
}

/** As JSON, because joined texts could be cut elsewhere. */
function place(boundTo: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify([version, ...boundTo]))
}
