/** `gesso accounts update`: changes what is named of an account, and nothing else. */
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

interface AccountsUpdateOptions extends AccountSettingOptions {
  /** False: `--no-defaults`. */
  defaults?: boolean
  disable?: boolean
  enable?: boolean
  json?: boolean
}

/** Adds the command to `accounts`. */
export function addAccountsUpdate(accounts: Command, env: NodeJS.ProcessEnv): void {
  const command = accounts
    .command('update')
    .description('Change what is named of an account.')
    .argument('<account>', 'its id, or its name where no other has it')
  addAccountSettings(command, { removable: true })
    .option('--no-defaults', 'fill in nothing; --default puts others in place of all that there are')
    .option('--disable', 'refuse its keys until it is enabled')
    .option('--enable', 'accept them again')
    .option('--json', 'one JSON object')
    .action((account: string, options: AccountsUpdateOptions) => update(account, options, env))
}

async function update(
  idOrName: string,
  options: AccountsUpdateOptions,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  if (options.disable && options.enable)
    throw usageFailure('--enable', 'Say --disable or --enable, not both.')
  if (options.default && options.defaults === false)
    throw usageFailure('--default', 'Say --default or --no-defaults, not both.')
  const change = {
    ...limitsOf(options),
    name: options.name,
    billing: options.billing,
    freeImages: valueOrNull(options.freeImages),
    defaults: options.default
      ? readKeyDefaults(options.default)
      : options.defaults === false
        ? {}
        : undefined,
    disabled: options.disable ? true : options.enable ? false : undefined,
  }
  if (Object.values(change).every((value) => value === undefined))
    throw usageFailure(null, 'Say what to change; --help lists what can be.')
  const { openToolDatabase } = await import('./open-tool-database.ts')
  const { findAccount } = await import('../accounts/find-account.ts')
  const { updateAccount } = await import('../accounts/update-account.ts')
  const { checkDefaultModel } = await import('../keys/check-default-model.ts')
  const resolveModel = await openResolveModel(env)
  await told(() => checkDefaultModel(change, resolveModel))
  const talk = createTalk(options)
  await using database = await openToolDatabase(env, talk)
  const { id } = await told(() => findAccount(database.db, idOrName))
  const by = { actor: { name: 'cli' }, now: new Date() }
  const account = await told(() => updateAccount(database.db, id, change, by))
  if (options.json) return writeJson(accountJson(account))
  talk.say(`${id} (${account.name}) is changed. Servers follow within a second.`)
}
