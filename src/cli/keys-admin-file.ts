/**
 * `admin.key` when the key in it gets a successor: the command line calls the server with what is in that file, and would be
 * refused one day without anybody knowing why.
 */
import { randomBytes } from 'node:crypto'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { adminKeyFile, readIfThere } from '../config/own-secrets.ts'
import type { ConfiguredDatabase } from '../db/open-configured-database.ts'
import { findKey } from '../keys/find-key.ts'
import { exitCode } from './exit-code.ts'
import { CommandFailure } from './failure.ts'

/** The path of the file where it holds this key, else undefined. */
export async function adminFileOf(
  { db }: Pick<ConfiguredDatabase, 'db'>,
  keyId: string,
  dataDirectory: string,
): Promise<string | undefined> {
  const file = adminKeyFile(dataDirectory)
  const kept = readIfThere(file)
  return kept !== undefined && (await findKey(db, kept))?.id === keyId ? file : undefined
}

/** Puts the new key there, whole or not at all. Throws `CommandFailure`: the old one is still in the file then. */
export function replaceAdminKey(file: string, key: string): void {
  const temporary = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    writeFileSync(temporary, `${key}\n`, { mode: 0o600, flag: 'wx', flush: true })
    renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw new CommandFailure({
      exitCode: exitCode.unexpected,
      type: 'internal_server_error',
      code: 'internal_error',
      message: `The key was made and shown, but ${file} still holds the old one: ${(error as Error).message}.`,
      hint: 'Write the new key there before the old one ends.',
    })
  }
}
