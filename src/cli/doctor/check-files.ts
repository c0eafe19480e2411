/** Is the data directory there, private, writable, and is there room? Makes nothing that is missing. */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Config } from '../../config/config.ts'
import { adminKeyFile } from '../../config/own-secrets.ts'
import { serverFile } from '../server-file.ts'
import { type Finding, fail, pass, warn } from './finding.ts'

const gigabyte = 1_000_000_000
const roomToWarn = gigabyte
const roomToFail = gigabyte / 10
const secretCharacters = 32

/** Looks at the data directory and what is in it. */
export async function checkFiles(config: Config): Promise<Finding[]> {
  const directory = config.data_dir
  const room = checkRoom(directory)
  if (!existsSync(directory)) {
    return [
      warn('data', `${directory} does not exist yet; the first start makes it`),
      room,
      checkSecret(config),
    ]
  }
  if (!statSync(directory).isDirectory()) return [fail('data', `${directory} is not a directory`), room]
  return [checkModes(directory), room, checkWritable(join(directory, 'objects')), checkSecret(config)]
}

/** Others must not read keys. Windows has no such modes. */
function checkModes(directory: string): Finding {
  const files = ['secret', 'postgres.password'].map((name) => join(directory, name))
  const secrets = [...files, adminKeyFile(directory), serverFile(directory)].filter((file) =>
    existsSync(file),
  )
  // The group may pass through the directory, where PostgreSQL runs as another user.
  const allowed = (path: string) => (path === directory ? 0o710 : 0o700)
  const open = [directory, ...secrets].filter((path) => (statSync(path).mode & 0o077 & ~allowed(path)) !== 0)
  if (process.platform === 'win32' || open.length === 0) return pass('data', `${directory}, private`)
  const commands = open.map((path) => `chmod ${path === directory ? '700' : '600'} ${path}`)
  return fail('data', `other users may read ${open.join(', ')}; run: ${commands.join(' && ')}`)
}

function checkRoom(directory: string): Finding {
  let existing = directory
  while (!existsSync(existing)) existing = dirname(existing)
  const { bavail, bsize } = statfsSync(existing)
  const freeBytes = bavail * bsize
  const message = `${(freeBytes / gigabyte).toFixed(1)} GB free at ${existing}`
  if (freeBytes < roomToFail) return fail('disk', `${message}; pictures will soon find no room`)
  return freeBytes < roomToWarn ? warn('disk', message) : pass('disk', message)
}

function checkWritable(folder: string): Finding {
  if (!existsSync(folder)) return pass('pictures', `${folder} is made with the first picture`)
  const probe = join(folder, `.doctor-${randomBytes(6).toString('hex')}`)
  try {
    writeFileSync(probe, 'probe', { mode: 0o600, flush: true })
    rmSync(probe)
    return pass('pictures', `${folder} can be written`)
  } catch (error) {
    return fail('pictures', `${folder} cannot be written: ${(error as Error).message}`)
  }
}

function checkSecret(config: Config): Finding {
  if (config.secret) return pass('secret', 'links are signed with the configured secret')
  const file = join(config.data_dir, 'secret')
  if (!existsSync(file)) return pass('secret', 'the first start makes the secret that signs links')
  try {
    const { length } = readFileSync(file, 'utf8').trim()
    if (length >= secretCharacters) return pass('secret', `links are signed with ${file}`)
    return fail('secret', `${file} is damaged; restore it from a backup, or remove it to void all links`)
  } catch (error) {
    return fail('secret', `${file} cannot be read: ${(error as Error).message}`)
  }
}
