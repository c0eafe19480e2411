/**
 * The password of Gesso's own PostgreSQL: made once, kept beside the cluster, readable by its owner only.
 *
 * Must never put the password into a message, an argument or the environment.
 */

import { randomBytes } from 'node:crypto'
import { link, open, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { hasCode, nullIfMissing } from './error-code.ts'

/** Reads the password of a cluster that exists. Throws a sentence when it is lost. */
export async function readPassword(passwordFile: string): Promise<string> {
  const password = await readIfThere(passwordFile)
  if (password !== null) return password
  throw new Error(
    `${passwordFile} is missing, and the PostgreSQL beside it opens only with it. Restore it from a backup, or move ` +
      'the data directory away to begin anew.',
  )
}

/** Reads the password, making it first when there is none. Two processes that start at once get the same one. */
export async function readOrMakePassword(passwordFile: string): Promise<string> {
  const known = await readIfThere(passwordFile)
  if (known !== null) return known

  const draft = `${passwordFile}.${randomBytes(6).toString('hex')}`
  try {
    await writeDurably(draft, `${randomBytes(24).toString('base64url')}\n`)
    // A link and not a rename: it fails when another process was first, instead of replacing its password.
    await link(draft, passwordFile)
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
  } finally {
    await rm(draft, { force: true })
  }
  await syncDirectory(dirname(passwordFile))
  return await readPassword(passwordFile)
}

/** Writes a new file with mode 0600, on disk when this returns. */
export async function writeDurably(path: string, text: string): Promise<void> {
  await using file = await open(path, 'wx', 0o600)
  await file.writeFile(text)
  await file.sync()
}

/** Makes a rename or a new name in a directory survive a loss of power. */
export async function syncDirectory(path: string): Promise<void> {
  // Windows cannot open a directory; NTFS journals names by itself.
  if (process.platform === 'win32') return
  await using directory = await open(path, 'r')
  await directory.sync()
}

async function readIfThere(passwordFile: string): Promise<string | null> {
  const password = (await nullIfMissing(readFile(passwordFile, 'utf8')))?.trim() ?? null
  if (password === '') throw new Error(`${passwordFile} is empty. Restore it from a backup.`)
  return password
}
