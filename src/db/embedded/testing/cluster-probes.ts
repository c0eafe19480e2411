/** What tests ask of a cluster and do to it from outside: its locks, its rows, and kill -9. */
import { type ChildProcess, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { expect } from 'vitest'
import type { ClusterConnection } from '../cluster-claim.ts'
import { judgePostmaster, readPostmasterRecord } from '../postmaster.ts'

/** The user and group with this number exist everywhere and own nothing. */
export const nobody = 65_534

/** kill -9 of a child that may have ended already. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

/** kill -9 of the server in a data directory, after making sure that the number is its. */
export async function killPostmaster(directory: string): Promise<void> {
  const cluster = join(directory, 'postgres')
  const record = await readPostmasterRecord(cluster)
  if (record === null || (await judgePostmaster(cluster, record.pid)) !== 'alive') return
  process.kill(record.pid, 'SIGKILL')
  while ((await judgePostmaster(cluster, record.pid)) === 'alive') await sleep(10)
}

/** The rows of one query, over a connection of its own. */
export async function query(connection: ClusterConnection | undefined, sql: string): Promise<unknown[]> {
  const client = new pg.Client(connection ?? {})
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}

/** Waits until this process holds the server lock again. A loaded machine recovers slowly. */
export async function claimedAgain(connection: ClusterConnection): Promise<void> {
  await expect
    .poll(() => serverLockHolders(connection).catch(() => []), { timeout: 20_000 })
    .toEqual([`gesso server ${process.pid}`])
}

/** How many advisory locks of a mode are held. */
export async function lockCount(connection: ClusterConnection, mode: string): Promise<unknown> {
  const sql = `select count(*)::int as n from pg_locks where locktype = 'advisory' and mode = '${mode}'`
  const [row] = await query({ ...connection, database: 'postgres' }, sql)
  return (row as { n: number }).n
}

/** The names of those who hold the server lock. */
export async function serverLockHolders(connection: ClusterConnection): Promise<unknown[]> {
  const rows = await query(
    { ...connection, database: 'postgres' },
    `select application_name as name from pg_locks join pg_stat_activity using (pid)
      where locktype = 'advisory' and mode = 'ExclusiveLock'`,
  )
  return rows.map((row) => (row as { name: string }).name)
}

/** Can the user `nobody` run this program? */
export function nobodyReaches(program: string): boolean {
  return spawnSync(program, ['--version'], { uid: nobody, gid: nobody, cwd: '/' }).status === 0
}
