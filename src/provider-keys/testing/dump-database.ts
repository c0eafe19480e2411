/** All that a database holds, to be searched for what it must not hold. */
import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'

/** Every column of every row of every table as text, and what is sealed as the characters that its bytes could be. */
export async function dumpDatabase(db: Kysely<Database>): Promise<string> {
  const { rows: tables } = await sql<{ name: string }>`
    select table_name as name from information_schema.tables where table_schema = 'public'`.execute(db)
  const texts = await Promise.all(
    tables.map(async ({ name }) => {
      const { rows } = await sql<{ row: string }>`select t::text as row from ${sql.table(name)} t`.execute(db)
      return [name, ...rows.map(({ row }) => row)].join('\n')
    }),
  )
  const sealed = await db.selectFrom('provider_keys').select('sealed').execute()
  const bytes = sealed.flatMap((row) => [row.sealed.toString('latin1'), row.sealed.toString('utf16le')])
  return [...texts, ...bytes].join('\n')
}

/** A secret as it is, and as a dump or a log could hold it. */
export function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret)
  return [secret, bytes.toString('hex'), bytes.toString('base64').slice(0, -4), encodeURIComponent(secret)]
}
