/** `gesso accounts list`: the accounts there are, with their money. */
import type { Command } from 'commander'
import type { Account } from '../accounts/account.ts'
import { accountJson } from './accounts-json.ts'
import { usdText } from './accounts-usd.ts'
import { createTalk, table, writeJson, writeLines } from './output.ts'

/** Accounts that are listed at once; older ones are told of and not shown. */
const mostAccounts = 1_000

/** Adds the command to `accounts`. */
export function addAccountsList(accounts: Command, env: NodeJS.ProcessEnv): void {
  accounts
    .command('list')
    .description('List the accounts, newest first.')
    .option('--json', '{"data": [accounts], "has_more": …}')
    .action((options: { json?: boolean }) => list(options, env))
}

async function list(options: { json?: boolean }, env: NodeJS.ProcessEnv): Promise<void> {
  const { openToolDatabase } = await import('./open-tool-database.ts')
  const { listAccounts } = await import('../accounts/list-accounts.ts')
  const talk = createTalk(options)
  await using database = await openToolDatabase(env, talk)
  const { accounts, hasMore } = await listAccounts(database.db, { limit: mostAccounts })
  if (options.json) return writeJson({ data: accounts.map(accountJson), has_more: hasMore })
  writeLines(table(['ID', 'NAME', 'BILLING', 'BALANCE', 'HELD', 'CREATED', 'STATE'], accounts.map(row)))
  if (hasMore) talk.say(`These are the newest ${mostAccounts}; GET /admin/v1/accounts lists all in pages.`)
}

function row(account: Account): string[] {
  return [
    account.id,
    account.name,
    account.billing,
    usdText(account.balanceMicros),
    usdText(account.reservedMicros),
    account.createdAt.toISOString().slice(0, 10),
    account.disabledAt ? 'disabled' : 'active',
  ]
}
