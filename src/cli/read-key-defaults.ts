/**
 * Reads the `field=value` pairs of `--default` by the rules that a caller's own fields have to follow: a key must not
 * be made whose callers are refused for what they never wrote.
 */
import { type KeyDefaults, keyDefaultNames, keyDefaults, newKeyDefaults } from '../keys/key-defaults.ts'
import { usageFailure } from './failure.ts'

/** What the pairs say. Throws `CommandFailure`. */
export function readKeyDefaults(pairs: readonly string[]): KeyDefaults {
  const given = new Map<keyof KeyDefaults, unknown>()
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    if (at < 1) throw usageFailure('--default', `--default ${pair} must be field=value, such as quality=low.`)
    const field = keyDefaultNames.find((name) => name === pair.slice(0, at))
    if (field === undefined) {
      const known = keyDefaultNames.join(', ')
      throw usageFailure('--default', `--default ${pair.slice(0, at)} is not known. Allowed are ${known}.`)
    }
    if (given.has(field)) throw usageFailure('--default', `--default ${field} is given twice; give it once.`)
    given.set(field, typedValue(field, pair.slice(at + 1)))
  }
  const parsed = newKeyDefaults.safeParse(Object.fromEntries(given))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const field = issue?.path.join('.') ?? ''
  const shown = JSON.stringify(given.get(field as keyof KeyDefaults))
  throw usageFailure('--default', `--default ${field} is ${shown}, but must be ${issue?.message}.`)
}

/** The text as the field's own type, where it can be read as that; else as it is, to be refused. */
function typedValue(field: keyof KeyDefaults, text: string): unknown {
  const { type } = keyDefaults.shape[field].unwrap()
  if (type === 'boolean' && /^(true|false)$/.test(text)) return text === 'true'
  if (type === 'number' && /^\d{1,9}$/.test(text)) return Number(text)
  return text
}
