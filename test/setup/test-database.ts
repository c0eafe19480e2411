/** A fresh, migrated database for one test file, gone when the file is done. */
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'
import { migrate } from '../../src/db/migrate.ts'
import { type OpenDatabase, openDatabase } from '../../src/db/open-database.ts'

export interface TestDatabase extends OpenDatabase {
  /** As `DATABASE_URL` would name it. */
  url: string
}

/** Makes an empty database; answers its URL and a function that drops it, whoever is connected. */
export async function createEmptyDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  const server = inject('postgres')
  const name = `test_${randomBytes(6).toString('hex')}`
  const administer = async (statement: string) => {
    const client = new pg.Client({ ...server, database: 'postgres' })
    await client.connect()
    await client.query(statement).finally(() => client.end())
  }
  await administer(`create database ${name}`)
  const host = encodeURIComponent(server.host)
  return {
    url: `postgres://${server.user}:${server.password}@localhost/${name}?host=${host}&port=${server.port}`,
    drop: () => administer(`drop database ${name} with (force)`),
  }
}

/** Makes a database with all tables. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const empty = await createEmptyDatabase()
  const opened = openDatabase({ connectionString: empty.url }, { poolSize: 10 })
  await migrate(opened.db)
  return {
    db: opened.db,
    url: empty.url,
    async [Symbol.asyncDispose]() {
      await opened[Symbol.asyncDispose]()
      await empty.drop()
    },
  }
}
