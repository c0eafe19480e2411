/**
 * Where Gesso's own PostgreSQL keeps its things inside the data directory, said once.
 *
 * It also makes the data directory, private to its owner whatever the umask is. It must never loosen the mode
 * of a directory it finds: that one is the operator's.
 */

import { constants } from 'node:fs'
import { access, mkdir, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { hasCode, nullIfMissing } from './error-code.ts'

/** The names inside one data directory; all absolute. */
export interface ClusterPaths {
  readonly dataDir: string
  /** The PostgreSQL cluster itself (`PGDATA`). */
  readonly clusterDir: string
  readonly passwordFile: string
  readonly logFile: string
}

/** The role that owns the cluster, and the database that holds Gesso's tables. */
export const superuser = 'gesso'
export const databaseName = 'gesso'

/** Names the places inside `dataDir`. Touches nothing. */
export function clusterPaths(dataDir: string): ClusterPaths {
  const root = resolve(dataDir)
  return {
    dataDir: root,
    clusterDir: join(root, 'postgres'),
    passwordFile: join(root, 'postgres.password'),
    logFile: join(root, 'postgres.log'),
  }
}

/** Makes the data directory with mode 0700 when it is missing. Throws a sentence that names it. */
export async function makeDataDirectory(dataDir: string): Promise<void> {
  try {
    // Parents get 0755 and not 0777, so that a umask of 000 does not let everyone replace the data directory.
    await mkdir(dirname(dataDir), { recursive: true, mode: 0o755 })
    await mkdir(dataDir, { mode: 0o700 })
  } catch (error) {
    const found = hasCode(error, 'EEXIST') ? await stat(dataDir).catch(() => null) : null
    if (found?.isDirectory()) return await refuseUnusable(dataDir)
    const why = error instanceof Error ? error.message : String(error)
    throw new Error(
      `Gesso cannot make its data directory ${dataDir}: ${why}. Choose another with GESSO_DATA_DIR.`,
      { cause: error },
    )
  }
}

/** Throws a sentence when the cluster is another ordinary user's; PostgreSQL opens only its owner's. */
export async function refuseForeignCluster(clusterDir: string): Promise<void> {
  const ownId = process.getuid?.()
  const cluster = await nullIfMissing(stat(clusterDir))
  if (cluster === null || ownId === undefined || ownId === 0 || cluster.uid === ownId) return
  throw new Error(
    `${clusterDir} belongs to the user with id ${cluster.uid}, and Gesso runs as ${ownId}. Run it as that user, ` +
      'give it another data directory with GESSO_DATA_DIR, or set DATABASE_URL to a PostgreSQL of your own.',
  )
}

async function refuseUnusable(dataDir: string): Promise<void> {
  try {
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new Error(
      `Gesso may not use its data directory ${dataDir}: it belongs to the user with id ${(await stat(dataDir)).uid} ` +
        'or is read-only. Run Gesso as that user, or choose another directory with GESSO_DATA_DIR.',
      { cause: error },
    )
  }
}
