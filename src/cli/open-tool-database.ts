/** The database for commands that work on it directly, beside a running server or without one. */
import { loadConfig } from '../config/load-config.ts'
import { prepareDataDirectory } from '../config/own-secrets.ts'
import { type ConfiguredDatabase, openConfiguredDatabase } from '../db/open-configured-database.ts'
import { interrupted, listenForInterrupt } from './interrupt.ts'
import type { Talk } from './output.ts'

export interface ToolDatabase extends ConfiguredDatabase {
  /** Aborted by Ctrl-C, which otherwise only waits: what is under way takes a moment, and PostgreSQL is stopped. */
  interruption: AbortSignal
}

/** Opens the configured database, its tables up to date. Throws `CommandFailure` where it is interrupted meanwhile. */
export async function openToolDatabase(env: NodeJS.ProcessEnv, talk: Talk): Promise<ToolDatabase> {
  const { config, sourceOf } = loadConfig(env, process.cwd())
  if (!config.database.url) prepareDataDirectory(config.data_dir, sourceOf(['data_dir']))
  await using stack = new AsyncDisposableStack()
  const interrupt = stack.use(listenForInterrupt())
  const database = stack.use(
    await openConfiguredDatabase({
      settings: config.database,
      dataDir: config.data_dir,
      role: 'tool',
      onNotice: (text) => talk.say(text),
    }),
  )
  if (interrupt.signal.aborted) throw interrupted('Interrupted; nothing was done.')
  const owned = stack.move()
  return {
    ...database,
    interruption: interrupt.signal,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
