/** `gesso keys list`: the keys there are, without their secrets. */
import type { Command } from 'commander'
import { keyJson } from './keys-json.ts'
import { told } from './keys-refusal.ts'
import { keyState, minute } from './keys-state.ts'
import { createTalk, table, writeJson, writeLines } from './output.ts'

interface KeysListOptions {
  account?: string
  json?: boolean
}

/** Keys that are listed at once; older ones are told of and not shown. */
const mostKeys = 1_000

/** Adds the command to `keys`. */
export function addKeysList(keys: Command, env: NodeJS.ProcessEnv): void {
  keys
    .command('list')
    .description('List the keys, newest first.')
    .option('--account <id|name>', 'only those of one account')
    .option('--json', '{"data": [keys], "has_more": …}')
    .action((options: KeysListOptions) => list(options, env))
}

async function list(options: KeysListOptions, env: NodeJS.ProcessEnv): Promise<void> {
  const { openToolDatabase } = await import('./open-tool-database.ts')
  const { findAccount } = await import('../accounts/find-account.ts')
  const { listKeys } = await import('../keys/list-keys.ts')
  const talk = createTalk(options)
  await using database = await openToolDatabase(env, talk)
  const { account } = options
  const accountId =
    account === undefined ? undefined : (await told(() => findAccount(database.db, account))).id
  const { keys, hasMore } = await listKeys(database.db, { accountId, limit: mostKeys })
  if (options.json) return writeJson({ data: keys.map(keyJson), has_more: hasMore })
  const now = new Date()
  const rows = keys.map((key) => [
    key.id,
    key.name,
    `${key.hint}…`,
    key.account,
    key.scopes.join(','),
    key.limits.requestsPerMinute === null ? 'default' : String(key.limits.requestsPerMinute),
    key.createdAt.toISOString().slice(0, 10),
    key.lastUsedAt ? minute(key.lastUsedAt) : 'never',
    keyState(key, now),
    key.replaces ?? '',
  ])
  writeLines(
    table(['ID', 'NAME', 'KEY', 'ACCOUNT', 'SCOPES', 'RPM', 'CREATED', 'USED', 'STATE', 'REPLACES'], rows),
  )
  if (hasMore) talk.say(`These are the newest ${mostKeys}; GET /admin/v1/keys lists all in pages.`)
}
