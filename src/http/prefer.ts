/** The `Prefer` header (RFC 7240): what the caller would like, if it can be had. */

import { badRequest } from '../lib/errors.ts'
import type { Handling } from '../models/map-fields.ts'

export interface Preferences {
  handling: Handling
  /** False with `wait=0`: the caller would rather be told that work goes on than wait for its end. */
  waits: boolean
  /** For `Preference-Applied`; absent where nothing was preferred that is honoured. */
  applied?: string
}

/** Reads the preferences Gesso honours; others are ignored, as the RFC says. Of one that is repeated the first counts. */
export function readPreferences(header: string | string[] | undefined): Preferences {
  const wishes = readWishes(Array.isArray(header) ? header.join(',') : (header ?? ''))
  const waits = !/^0+$/.test(wishes.get('wait') ?? '')
  const handling = wishes.get('handling')?.toLowerCase()
  if (handling === undefined) return { handling: 'default', waits }
  if (handling !== 'strict' && handling !== 'lenient') {
    throw badRequest(
      null,
      `Prefer: handling=${JSON.stringify(handling.slice(0, 40))} is not known; use strict or lenient.`,
    )
  }
  return { handling, waits, applied: `handling=${handling}` }
}

function readWishes(text: string): Map<string, string> {
  const wishes = new Map<string, string>()
  for (const preference of text.slice(0, 1_000).split(',')) {
    const [name = '', value = ''] = preference.split(';', 1)[0]?.split('=') ?? []
    const known = name.trim().toLowerCase()
    if (!wishes.has(known)) wishes.set(known, value.trim().replace(/^"|"$/g, ''))
  }
  return wishes
}
