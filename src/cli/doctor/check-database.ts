/**
 * Does the database answer, are its tables up to date, does the ledger agree with itself, and is the admin key good? Brings
 * nothing up to date, and makes no cluster.
 */
import { existsSync } from 'node:fs'
import type { Config } from '../../config/config.ts'
import { clusterPaths } from '../../db/embedded/cluster-paths.ts'
import { pendingMigrations } from '../../db/migrate.ts'
import { openConfiguredDatabase } from '../../db/open-configured-database.ts'
import { checkLedger } from '../../ledger/check-ledger.ts'
import { explainSystemError } from '../explain-system-error.ts'
import { listenForInterrupt } from '../interrupt.ts'
import { examineAdminKey } from './examine-admin-key.ts'
import { examineLedger } from './examine-ledger.ts'
import { type Finding, fail, pass, warn } from './finding.ts'

/** Asks it. One that Gesso runs itself is started for the question where it does not run. */
export async function checkDatabase(config: Config): Promise<Finding[]> {
  const name = 'database'
  if (!config.database.url && !existsSync(clusterPaths(config.data_dir).clusterDir)) {
    return [warn(name, 'own PostgreSQL; the first start makes it')]
  }
  // Ctrl-C waits for the answer, so that the PostgreSQL started for the question is stopped again.
  using _interrupt = listenForInterrupt()
  try {
    await using database = await openConfiguredDatabase({
      settings: config.database,
      dataDir: config.data_dir,
      role: 'tool',
      migrate: false,
      onNotice() {},
    })
    const pending = await pendingMigrations(database.db)
    if (pending.length > 0)
      return [warn(name, `answers; the next start runs ${pending.join(', ')} (${database.description})`)]
    const upToDate = pass(name, `answers, and its tables are up to date (${database.description})`)
    const ledger = examineLedger(await checkLedger(database.db))
    return [upToDate, ledger, ...(await examineAdminKey(database, config))]
  } catch (error) {
    return [fail(name, explainSystemError(error) ?? (error instanceof Error ? error.message : String(error)))]
  }
}
