/** A fresh, migrated database for one test file, gone when the file is done. */
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'
import { type OpenDatabase, openDatabase } from '../../src/db/open-database.ts'

export interface TestDatabase extends OpenDatabase {
  /** As `DATABASE_URL` would name it. */
  url: string
}

/** A database of its own: its URL, and a function that drops it, whoever is connected. */
export interface OwnDatabase {
  url: string
  drop(): Promise<void>
}

/** Makes one without any table. */
export function createEmptyDatabase(): Promise<OwnDatabase> {
  return createDatabase('template1')
}

/** Makes one with all tables. */
export function createMigratedDatabase(): Promise<OwnDatabase> {
  return createDatabase(inject('migratedDatabase'))
}

async function createDatabase(template: string): Promise<OwnDatabase> {
  const server = inject('postgres')
  const name = `test_${randomBytes(6).toString('hex')}`
  const administer = async (statement: string) => {
    const client = new pg.Client({ ...server, database: 'postgres' })
    await client.connect()
    await client.query(statement).finally(() => client.end())
  }
  await administer(`create database ${name} template ${template}`)
  const host = encodeURIComponent(server.host)
  return {
    url: `postgres://${server.user}:${server.password}@localhost/${name}?host=${host}&port=${server.port}`,
    drop: () => administer(`drop database ${name} with (force)`),
  }
}

/** Makes a database with all tables, and opens it. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const own = await createMigratedDatabase()
  const opened = openDatabase({ connectionString: own.url }, { poolSize: 10 })
  return {
    db: opened.db,
    url: own.url,
    async [Symbol.asyncDispose]() {
      await opened[Symbol.asyncDispose]()
      await own.drop()
    },
  }
}
