/** Does the key work that the command line finds in the data directory? */
import type { Config } from '../../config/config.ts'
import { adminKeyFile, readIfThere } from '../../config/own-secrets.ts'
import type { ConfiguredDatabase } from '../../db/open-configured-database.ts'
import { findKey } from '../../keys/find-key.ts'
import type { KeySummary } from '../../keys/key-summary.ts'
import { whyNotInForce } from '../keys-state.ts'
import { type Finding, pass, warn } from './finding.ts'

/** Nothing to say where another key is configured, or none was made yet. */
export async function examineAdminKey(
  { db }: Pick<ConfiguredDatabase, 'db'>,
  config: Config,
): Promise<Finding[]> {
  const file = adminKeyFile(config.data_dir)
  const text = config.admin_key ? undefined : readIfThere(file)
  if (text === undefined) return []
  const wrong = whatIsWrong(await findKey(db, text))
  if (wrong === undefined) return [pass('admin key', `the key in ${file} works`)]
  const advice = '`gesso keys create --name cli --scopes admin` makes another to put there'
  return [warn('admin key', `the key in ${file} is ${wrong}; ${advice}`)]
}

function whatIsWrong(key: KeySummary | undefined): string | undefined {
  if (!key) return 'not known to the database'
  return whyNotInForce(key, new Date()) ?? (key.scopes.includes('admin') ? undefined : 'no admin key')
}
