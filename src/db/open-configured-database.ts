/**
 * The database of this install: the configured PostgreSQL, or Gesso's own. Both look the same from here on.
 */
import { openEmbeddedPostgres } from './embedded/open-embedded-postgres.ts'
import { migrate } from './migrate.ts'
import { type OpenDatabase, openDatabase } from './open-database.ts'
import type { DatabaseSettings } from './settings.ts'

export interface ConfiguredDatabase extends OpenDatabase {
  /** In words, for people: `own PostgreSQL in ./.gesso/postgres`. */
  description: string
  /** The migrations that ran just now. */
  migrated: readonly string[]
}

/**
 * Opens it and brings its tables up to date, unless told not to. `server` is refused where another server uses the same data
 * directory; `tool` works beside one.
 */
export async function openConfiguredDatabase(options: {
  settings: DatabaseSettings
  dataDir: string
  role: 'server' | 'tool'
  /** False only for who wants to look without changing anything. */
  migrate?: boolean
  onNotice(text: string): void
}): Promise<ConfiguredDatabase> {
  await using stack = new AsyncDisposableStack()
  const onError = (error: Error) => options.onNotice(`a database connection broke: ${error.message}`)
  const poolSize = options.settings.pool_size

  let opened: OpenDatabase
  let description: string
  if (options.settings.url) {
    opened = stack.use(
      openDatabase({ connectionString: options.settings.url.reveal() }, { poolSize, onError }),
    )
    description = 'the PostgreSQL of DATABASE_URL'
  } else {
    const postgres = stack.use(
      await openEmbeddedPostgres({
        dataDir: options.dataDir,
        role: options.role,
        onNotice: options.onNotice,
      }),
    )
    opened = stack.use(openDatabase(postgres.connection, { poolSize, onError }))
    description = postgres.adopted ? 'own PostgreSQL, found running' : 'own PostgreSQL'
  }
  const migrated = options.migrate === false ? [] : await migrate(opened.db)

  const owned = stack.move()
  return { db: opened.db, description, migrated, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
