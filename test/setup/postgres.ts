/**
 * One real PostgreSQL for the whole run of the suite: started before the first file, stopped after the last.
 * Every file that needs a database makes its own in it. A stopped copy of it spares others the making.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { openEmbeddedPostgres } from '../../src/db/embedded/open-embedded-postgres.ts'
import { migrate } from '../../src/db/migrate.ts'
import { openDatabase } from '../../src/db/open-database.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgres: Server
    /** A database with all tables, of which others are made faster than by migrating each. */
    migratedDatabase: string
    /** See `prepared-data-dir.ts`. */
    preparedDataDir: string
  }
}

/** Nothing in it has to outlive the run, so it need not wait for the disk. Tests about durability have their own. */
async function forgetful(server: Server) {
  const client = new pg.Client({ ...server, database: 'postgres' })
  await client.connect()
  for (const name of ['fsync', 'synchronous_commit', 'full_page_writes']) {
    await client.query(`alter system set ${name} = off`)
  }
  await client.query('select pg_reload_conf()')
  await client.end()
}

type Server = { host: string; port: number; user: string; password: string }

async function prepareDatabase(server: Server, name: string) {
  const client = new pg.Client({ ...server, database: 'postgres' })
  await client.connect()
  await client.query(`create database ${name}`)
  await client.end()
  await using database = openDatabase({ ...server, database: name }, { poolSize: 1 })
  await migrate(database.db)
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'gesso-suite-'))
  const dataDir = join(folder, 'data')
  const prepared = join(folder, 'prepared')
  const first = await openEmbeddedPostgres({ dataDir, role: 'server' })
  await first[Symbol.asyncDispose]()
  execFileSync('cp', ['-a', dataDir, prepared])
  const postgres = await openEmbeddedPostgres({ dataDir, role: 'server' })
  const { host, port, user, password } = postgres.connection
  await forgetful({ host, port, user, password })
  const migratedDatabase = 'migrated'
  await prepareDatabase({ host, port, user, password }, migratedDatabase)
  project.provide('postgres', { host, port, user, password })
  project.provide('migratedDatabase', migratedDatabase)
  project.provide('preparedDataDir', prepared)
  return async () => {
    await postgres[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  }
}
