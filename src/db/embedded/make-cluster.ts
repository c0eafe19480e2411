/**
 * Makes the PostgreSQL cluster, once per data directory.
 *
 * initdb writes into a temporary sibling, which takes the final name in one rename: a kill in the middle leaves
 * nothing half-made, and of two processes that start at once exactly one wins. Must never touch a cluster that
 * exists.
 */

import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { PostgresBinaries } from './binaries.ts'
import { type ClusterPaths, superuser } from './cluster-paths.ts'
import { hasCode, nullIfMissing } from './error-code.ts'
import { syncDirectory, writeDurably } from './password-file.ts'
import { isRunning } from './postmaster.ts'
import { type RunAs, runCommand } from './run-command.ts'

const draftPrefix = 'postgres.init-'
const draftLifetimeMs = 10 * 60_000
// The moment this process began tells its drafts from those of an earlier process with the same id: in a
// container Gesso is always process 1.
const processToken = `${process.pid}-${Math.round(performance.timeOrigin)}`

/** Settings an operator may change in `postgresql.conf`; where PostgreSQL listens is decided at each start. */
const settings = {
  shared_buffers: '64MB',
  max_connections: '100',
  fsync: 'on',
  synchronous_commit: 'on',
  // Parallel queries want /dev/shm, of which a container has 64 MB.
  max_parallel_workers_per_gather: '0',
  // Terse leaves out the values of rows at fault, which hold prompts.
  log_error_verbosity: 'terse',
  log_checkpoints: 'off',
  log_timezone: 'UTC',
  timezone: 'UTC',
}

/**
 * True when the cluster exists and these binaries can open it. Throws where the folder holds something else, or
 * the cluster of another major version.
 */
export async function clusterExists(paths: ClusterPaths, major: string): Promise<boolean> {
  const found = await nullIfMissing(readFile(join(paths.clusterDir, 'PG_VERSION'), 'utf8'))
  if (found === null) {
    if (((await nullIfMissing(readdir(paths.clusterDir)))?.length ?? 0) === 0) return false
    throw new Error(
      `${paths.clusterDir} is not empty and holds no PostgreSQL cluster. Move it away and start Gesso again.`,
    )
  }
  const version = found.trim()
  if (version === major) return true
  throw new Error(
    `${paths.clusterDir} was made by PostgreSQL ${version}, and this Gesso brings PostgreSQL ${major}, which cannot ` +
      `open it. Start the Gesso that made it, save its data with pg_dump from PostgreSQL ${version}, and restore ` +
      'that into a new data directory (GESSO_DATA_DIR); or set DATABASE_URL to a PostgreSQL of your own.',
  )
}

/** What making a cluster needs. */
export interface ClusterRecipe {
  paths: ClusterPaths
  binaries: PostgresBinaries
  runAs: RunAs
  password: string
  searchPath: string
}

/** Makes the cluster. When another process was quicker, its cluster stays and this returns quietly. */
export async function makeCluster(recipe: ClusterRecipe): Promise<void> {
  const { paths, binaries, runAs } = recipe
  await removeStaleDrafts(paths.dataDir)
  const draftName = `${draftPrefix}${processToken}-${randomBytes(4).toString('hex')}`
  const draft = join(paths.dataDir, draftName)
  try {
    await mkdir(draft, { mode: 0o700 })
    // initdb cannot read a file of root's when it runs as another user, nor a socket as its standard input.
    const passwordCopy = join(draft, 'password')
    await writeDurably(passwordCopy, recipe.password)
    if (runAs.uid !== undefined && runAs.gid !== undefined) {
      await chown(passwordCopy, runAs.uid, runAs.gid)
      await chown(draft, runAs.uid, runAs.gid)
    }
    await runCommand({
      command: binaries.initdb,
      args: initdbArguments(),
      runAs,
      // The working directory keeps the data directory's path, whatever is in it, out of initdb's shell commands.
      cwd: draft,
      searchPath: recipe.searchPath,
      timeoutMs: 120_000,
    })
    await rename(join(draft, 'cluster'), paths.clusterDir)
    await syncDirectory(paths.dataDir)
  } catch (error) {
    if (!hasCode(error, 'ENOTEMPTY', 'EEXIST', 'EPERM') || !(await clusterExists(paths, binaries.major))) {
      throw error
    }
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/** PostgreSQL opens only a private directory; a copy or a restored backup may have lost the mode. */
export async function makeClusterPrivate(clusterDir: string): Promise<void> {
  if (process.platform === 'win32') return
  const { mode } = await stat(clusterDir)
  if ((mode & 0o777) !== 0o700) await chmod(clusterDir, 0o700)
}

function initdbArguments(): string[] {
  return [
    '--pgdata=cluster',
    '--pwfile=password',
    `--username=${superuser}`,
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--data-checksums',
    '--auth-local=scram-sha-256',
    '--auth-host=scram-sha-256',
    '--no-instructions',
    ...Object.entries(settings).map(([name, value]) => `--set=${name}=${value}`),
  ]
}

/** Removes what a killed initdb left behind; a draft whose process may still be at work stays. */
async function removeStaleDrafts(dataDir: string): Promise<void> {
  for (const name of await readdir(dataDir)) {
    if (!name.startsWith(draftPrefix)) continue
    const token = name.slice(draftPrefix.length)
    const pid = Number.parseInt(token, 10)
    const madeByUs = token.startsWith(`${processToken}-`)
    const madeByOther = !madeByUs && pid !== process.pid && isRunning(pid)
    const path = join(dataDir, name)
    if ((madeByUs || madeByOther) && (await ageMs(path)) < draftLifetimeMs) continue
    await rm(path, { recursive: true, force: true })
  }
}

async function ageMs(path: string): Promise<number> {
  const entry = await nullIfMissing(stat(path))
  return entry === null ? 0 : Date.now() - entry.mtimeMs
}
