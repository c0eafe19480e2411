/** The `Prefer` header (RFC 7240): what the caller would like, if it can be had. */

import { badRequest } from '../lib/errors.ts'
import type { Handling } from '../models/map-fields.ts'

export interface Preferences {
  handling: Handling
  /** For `Preference-Applied`; absent where nothing was preferred that is honoured. */
  applied?: string
}

/** Reads the preferences Gesso honours; others are ignored, as the RFC says. */
export function readPreferences(header: string | string[] | undefined): Preferences {
  const text = Array.isArray(header) ? header.join(',') : (header ?? '')
  for (const preference of text.slice(0, 1_000).split(',')) {
    const [name = '', value = ''] = preference.split(';', 1)[0]?.split('=') ?? []
    if (name.trim().toLowerCase() !== 'handling') continue
    const handling = value.trim().replace(/^"|"$/g, '').toLowerCase()
    if (handling !== 'strict' && handling !== 'lenient') {
      throw badRequest(
        null,
        `Prefer: handling=${JSON.stringify(handling.slice(0, 40))} is not known; use strict or lenient.`,
      )
    }
    return { handling, applied: `handling=${handling}` }
  }
  return { handling: 'default' }
}
