/** The claim on a cluster whose sessions crash or whose server gets stuck: real servers, real signals. */

import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { copyPreparedDataDir } from '../../../test/setup/prepared-data-dir.ts'
import { locateBinaries } from './binaries.ts'
import type { ClusterConnection } from './cluster-claim.ts'
import { clusterPaths } from './cluster-paths.ts'
import { openEmbeddedPostgres } from './open-embedded-postgres.ts'
import { readPostmasterRecord } from './postmaster.ts'
import { stopPostmaster } from './start-postmaster.ts'
import { claimedAgain, killPostmaster, query } from './testing/cluster-probes.ts'

vi.setConfig({ testTimeout: 90_000, hookTimeout: 30_000 })

let scratch: string
let dataDir: string

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'gesso-claim-'))
  await chmod(scratch, 0o755)
  dataDir = join(scratch, 'data')
  copyPreparedDataDir(dataDir)
})

afterEach(async () => {
  await killPostmaster(dataDir)
  await rm(scratch, { recursive: true, force: true })
})

test('a server that restarts itself after a crashed session is claimed again', async () => {
  const db = await openEmbeddedPostgres({ dataDir, role: 'server' })
  const witness = await connect(db.connection)
  const noticed = new Promise((resolve) => witness.once('end', resolve))
  await crashSession(db.connection)
  // Until PostgreSQL has noticed, the old claim is still to be seen.
  await noticed
  await claimedAgain(db.connection)
  await db[Symbol.asyncDispose]()
  expect(await readPostmasterRecord(clusterDir())).toBeNull()
})

test('a server that recovers from a crashed session while its last user leaves is stopped all the same', async () => {
  for (const waitMs of [0, 20]) {
    const db = await openEmbeddedPostgres({ dataDir, role: 'server' })
    await crashSession(db.connection)
    await sleep(waitMs)
    await db[Symbol.asyncDispose]()
    expect(await readPostmasterRecord(clusterDir())).toBeNull()
  }
})

test('a server that gets stuck while it stops is made to leave, and loses nothing', async () => {
  const paths = clusterPaths(dataDir)
  const db = await openEmbeddedPostgres({ dataDir, role: 'server' })
  await query(db.connection, 'create table kept as select 42 as n')
  const sql = `select pid from pg_stat_activity where backend_type = 'checkpointer'`
  const [checkpointer] = (await query(db.connection, sql)) as { pid: number }[]
  process.kill(checkpointer?.pid ?? Number.NaN, 'SIGSTOP')
  await stopPostmaster(paths, await locateBinaries(), 500)
  await db[Symbol.asyncDispose]()
  expect(await readFile(paths.logFile, 'utf8')).toContain('received immediate shutdown request')

  await using again = await openEmbeddedPostgres({ dataDir, role: 'server' })
  expect(again.adopted).toBe(false)
  expect(await query(again.connection, 'select n from kept')).toEqual([{ n: 42 }])
})

/** A session that dies of SIGKILL makes PostgreSQL end all others and recover: every lock is lost. */
async function crashSession(connection: ClusterConnection): Promise<void> {
  const victim = await connect(connection)
  const { rows } = await victim.query<{ pid: number }>('select pg_backend_pid() as pid')
  process.kill(rows[0]?.pid ?? Number.NaN, 'SIGKILL')
}

async function connect(connection: ClusterConnection): Promise<pg.Client> {
  const client = new pg.Client(connection)
  client.on('error', () => {})
  await client.connect()
  return client
}

function clusterDir(): string {
  return join(dataDir, 'postgres')
}
