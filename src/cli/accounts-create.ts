/** `gesso accounts create`: a new account; its id is alone on stdout. */
import type { Command } from 'commander'
import { accountJson } from './accounts-json.ts'
import { type AccountSettingOptions, addAccountSettings } from './accounts-settings.ts'
import { usageFailure } from './failure.ts'
import { told } from './keys-refusal.ts'
import { openResolveModel } from './keys-settings.ts'
import { valueOrNull } from './option-values.ts'
import { limitsOf } from './option-values-limits.ts'
import { createTalk, writeJson } from './output.ts'
import { readKeyDefaults } from './read-key-defaults.ts'

interface AccountsCreateOptions extends AccountSettingOptions {
  json?: boolean
}

/** Adds the command to `accounts`. */
export function addAccountsCreate(accounts: Command, env: NodeJS.ProcessEnv): void {
  const command = accounts
    .command('create')
    .description('Make an account, metered unless --billing says otherwise. It has no credit and no key yet.')
  addAccountSettings(command, { removable: false })
    .option('--json', 'one JSON object')
    .action((options: AccountsCreateOptions) => create(options, env))
}

async function create(options: AccountsCreateOptions, env: NodeJS.ProcessEnv): Promise<void> {
  const { name, billing = 'metered' } = options
  if (name === undefined) throw usageFailure('--name', '--name <name> is required: whose account is it?')
  const { openToolDatabase } = await import('./open-tool-database.ts')
  const { createAccount } = await import('../accounts/create-account.ts')
  const { checkDefaultModel } = await import('../keys/check-default-model.ts')
  const talk = createTalk(options)
  const defaults = readKeyDefaults(options.default ?? [])
  const resolveModel = await openResolveModel(env)
  await told(() => checkDefaultModel({ defaults }, resolveModel))
  await using database = await openToolDatabase(env, talk)
  const account = await createAccount(
    database.db,
    { ...limitsOf(options), name, billing, freeImages: valueOrNull(options.freeImages), defaults },
    { actor: { name: 'cli' }, now: new Date() },
  )
  if (options.json) return writeJson(accountJson(account))
  process.stdout.write(`${account.id}\n`)
  talk.say(
    `Made the ${billing} account ${name}. \`gesso keys create --account ${account.id}\` makes its first key.`,
  )
}
