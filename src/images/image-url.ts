/**
 * Signed links to pictures: `/i/{image_id}.{ext}?exp=…&sig=…`. The signature covers the path and the expiry, so
 * that neither can be changed; the expiry is rounded up to a step, so that lists repeat the same link and a
 * browser can keep the picture.
 */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import { epochSeconds } from '../lib/clock.ts'
import { GessoError } from '../lib/errors.ts'
import type { Secret } from '../lib/secret.ts'
import type { StoredImage } from './stored-image.ts'

export interface SignedUrl {
  url: string
  /** Unix seconds. */
  expiresAt: number
}

export interface ImageUrls {
  /** A link that works without any header until it expires. */
  sign(image: Pick<StoredImage, 'id' | 'format'>): SignedUrl
  /** Checks a link's path and its query. Answers the seconds left; throws `signature_invalid`. */
  verify(path: string, query: string): number
}

/** Builds the signer. `publicUrl` is asked at each link, because the port may be known only after listening. */
export function createImageUrls(options: {
  secret: Secret
  publicUrl(): string
  ttlSeconds: number
  clock: Clock
}): ImageUrls {
  const key = Buffer.from(hkdfSync('sha256', options.secret.reveal(), '', 'gesso image urls', 32))
  const stepSeconds = Math.max(1, Math.floor(options.ttlSeconds / 4))
  const signature = (path: string, exp: string) =>
    createHmac('sha256', key).update(`${path}\n${exp}`).digest('base64url')

  return {
    sign(image) {
      const path = `/i/${image.id}.${fileExtension(image.format)}`
      const now = epochSeconds(options.clock.now())
      const expiresAt = Math.ceil((now + options.ttlSeconds) / stepSeconds) * stepSeconds
      const query = `exp=${expiresAt}&sig=${signature(path, String(expiresAt))}`
      return { url: `${options.publicUrl()}${path}?${query}`, expiresAt }
    },

    verify(path, query) {
      // Exactly the query that was handed out: any other spelling, order or extra field is an altered link.
      const match = /^exp=([1-9]\d{0,11})&sig=([A-Za-z0-9_-]{43})$/.exec(query)
      const [, exp = '', sig = ''] = match ?? []
      if (!match || !timingSafeEqual(Buffer.from(signature(path, exp)), Buffer.from(sig))) {
        throw new GessoError({
          code: 'signature_invalid',
          attribution: 'client',
          message:
            'This link is not signed by this server, or was altered. GET /v1/images/{image_id} gives a new one.',
        })
      }
      const leftSeconds = Number(exp) - epochSeconds(options.clock.now())
      if (leftSeconds <= 0) {
        throw new GessoError({
          code: 'signature_invalid',
          attribution: 'client',
          message: 'This link has expired. GET /v1/images/{image_id} gives a new one.',
        })
      }
      return leftSeconds
    },
  }
}

/** The extension a format is served under. */
export function fileExtension(format: StoredImage['format']): string {
  return format === 'jpeg' ? 'jpg' : format
}
