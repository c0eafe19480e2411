/**
 * By what two requests are known to be the same: a hash of the operation and of what its body says. White space, the order
 * of keys, the boundary of a form and the names of its files say nothing; `null` is absent.
 */
import { createHash } from 'node:crypto'
import { setImmediate as othersFirst } from 'node:timers/promises'
import { isSpooledFile } from '../../inputs/is-spooled-file.ts'
import type { SpooledFile } from '../../inputs/spool.ts'

/** What is hashed in one go, so that large bodies do not hold up other requests. */
const portionCharacters = 256 * 1024

/** SHA-256. Pictures count by their bytes, which are read from where they are and never held whole. */
export async function fingerprint(value: unknown): Promise<Buffer> {
  const hash = createHash('sha256')
  let text = ''
  for (const piece of canonical(value)) {
    if (typeof piece === 'string') text += piece
    if (typeof piece === 'string' && text.length < portionCharacters) continue
    hash.update(text)
    text = ''
    if (typeof piece === 'string') await othersFirst()
    else for await (const chunk of piece.stream()) hash.update(chunk)
  }
  return hash.update(text).digest()
}

/** The value in pieces. Kinds are marked and lengths are told, so that no two values make the same text. */
function* canonical(value: unknown): Generator<string | SpooledFile> {
  if (typeof value === 'string') {
    yield `s${value.length}:`
    yield value
  } else if (isSpooledFile(value)) {
    yield `f${value.sizeBytes}:`
    yield value
  } else if (Array.isArray(value)) {
    yield `a${value.length}:`
    for (const item of value) yield* canonical(item)
  } else if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, one]) => one !== null && one !== undefined)
    yield `o${entries.length}:`
    for (const [name, one] of entries.sort(([a], [b]) => (a < b ? -1 : 1))) {
      yield* canonical(name)
      yield* canonical(one)
    }
  } else yield `${value ?? null};`
}
