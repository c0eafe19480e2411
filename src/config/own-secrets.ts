/**
 * What Gesso makes for itself once and keeps in the data directory, unreadable for other users: the signing
 * secret and the first admin key. Each file appears whole or not at all, also when several processes start
 * together, and is never overwritten.
 */
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { Secret } from '../lib/secret.ts'
import { ConfigError } from './config-error.ts'

/** What others may do with the data directory: its group may pass through, where PostgreSQL runs as another user. */
const openToOthers = 0o067

/**
 * Makes the data directory if it is missing; nobody but its owner can read it. `source` is where the setting came
 * from. Throws `ConfigError` where it cannot be made or written: later would be in the middle of a picture.
 */
export function prepareDataDirectory(directory: string, source: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const probe = join(directory, `.probe-${randomBytes(6).toString('hex')}`)
    writeFileSync(probe, '', { mode: 0o600, flag: 'wx' })
    rmSync(probe)
    if ((statSync(directory).mode & openToOthers) !== 0) chmodSync(directory, 0o700)
  } catch (error) {
    const found = `${directory} (${error instanceof Error ? error.message : String(error)})`
    const expected = 'a folder that Gesso can make, write and keep to itself (GESSO_DATA_DIR)'
    throw new ConfigError([{ source, setting: 'data_dir', expected, found }])
  }
}

/** The secret that signs URLs: the configured one, else the one in the data directory, made at first need. */
export function signingSecret(dataDirectory: string, configured: Secret | undefined): Secret {
  return (
    configured ??
    new Secret(readOrCreate(join(dataDirectory, 'secret'), () => randomBytes(32).toString('hex')).text)
  )
}

/**
 * Secrets that signed and sealed before `current`, the present one: the configured one, and the one that Gesso had made for
 * itself before another was configured.
 */
export function previousSecrets(
  dataDirectory: string,
  { current, configured }: { current: Secret; configured: Secret | undefined },
): Secret[] {
  const own = readIfThere(join(dataDirectory, 'secret'))
  const texts = new Set([configured?.reveal() ?? '', own ?? ''])
  return [...texts].filter((text) => text !== '' && text !== current.reveal()).map((text) => new Secret(text))
}

/** The path of the file that holds the first admin key. */
export function adminKeyFile(dataDirectory: string): string {
  return join(dataDirectory, 'admin.key')
}

/** The first admin key, made by `create` where there is none yet. `created` says whether it is new. */
export function adminKey(dataDirectory: string, create: () => string): { key: Secret; created: boolean } {
  const { text, created } = readOrCreate(adminKeyFile(dataDirectory), create)
  return { key: new Secret(text), created }
}

function readOrCreate(file: string, create: () => string): { text: string; created: boolean } {
  const existing = readIfThere(file)
  if (existing !== undefined) return { text: existing, created: false }
  const temporary = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`
  const descriptor = openSync(temporary, 'wx', 0o600)
  try {
    writeSync(descriptor, `${create()}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  try {
    // A link fails where the name is taken, so of two processes that start together one wins.
    linkSync(temporary, file)
    return { text: readFileSync(file, 'utf8').trim(), created: true }
  } catch (error) {
    const winner = readIfThere(file)
    if (winner === undefined) throw error
    return { text: winner, created: false }
  } finally {
    rmSync(temporary, { force: true })
  }
}

/** The text of a secret's file without its line end, or nothing where there is none. */
export function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
