/**
 * Brings the tables up to date. Safe when several processes start at once: the migrator takes a lock in the
 * database, and who comes second finds nothing to do. A migration, once released, never changes.
 */
import type { Kysely } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import * as spine from './migrations/0001-spine.ts'
import * as buckets from './migrations/0002-buckets-and-defaults.ts'
import * as operations from './migrations/0003-operations.ts'
import * as money from './migrations/0004-money.ts'
import type { Database } from './schema.ts'

const migrations: Record<string, Migration> = {
  '0001-spine': spine,
  '0002-buckets-and-defaults': buckets,
  '0003-operations': operations,
  '0004-money': money,
}

function migrator(db: Kysely<Database>): Migrator {
  return new Migrator({ db, provider: { getMigrations: async () => migrations } })
}

/** Runs what is missing; answers the names of the migrations that ran. Throws the first failure. */
export async function migrate(db: Kysely<Database>): Promise<string[]> {
  const { error, results } = await migrator(db).migrateToLatest()
  if (error) throw error
  return (results ?? []).map((result) => result.migrationName)
}

/** The migrations that have not run on this database yet. */
export async function pendingMigrations(db: Kysely<Database>): Promise<string[]> {
  const known = await migrator(db).getMigrations()
  return known.filter((migration) => migration.executedAt === undefined).map((migration) => migration.name)
}
