/** `gesso accounts credit`: adds money to an account, once for each reference. */
import type { Command } from 'commander'
import { usdText } from './accounts-usd.ts'
import { usageFailure } from './failure.ts'
import { told } from './keys-refusal.ts'
import { usdOption } from './option-values.ts'
import { createTalk, writeJson } from './output.ts'

interface AccountsCreditOptions {
  note?: string
  reference?: string
  json?: boolean
}

/** Adds the command to `accounts`. */
export function addAccountsCredit(accounts: Command, env: NodeJS.ProcessEnv): void {
  accounts
    .command('credit')
    .description('Add credit to an account.')
    .argument('<account>', 'its id, or its name where no other has it')
    .argument('<usd>', 'US dollars such as 10.50, with at most six decimals', usdOption)
    .option('--note <text>', 'what it is for')
    .option('--reference <id>', 'your own id of the payment: with the same one it is made once')
    .option('--json', 'one JSON object')
    .action((account: string, micros: number, options: AccountsCreditOptions) =>
      credit(account, micros, options, env),
    )
}

async function credit(
  idOrName: string,
  micros: number,
  options: AccountsCreditOptions,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  if (micros === 0) throw usageFailure('usd', 'A credit must be more than 0.')
  const { note, reference } = options
  refuseText('--note', note, 500)
  refuseText('--reference', reference, 255)
  const { openToolDatabase } = await import('./open-tool-database.ts')
  const { findAccount } = await import('../accounts/find-account.ts')
  const { creditAccount } = await import('../ledger/credit-account.ts')
  const talk = createTalk(options)
  await using database = await openToolDatabase(env, talk)
  const account = await told(() => findAccount(database.db, idOrName))
  const by = { actor: { name: 'cli' }, now: new Date() }
  const made = await told(() =>
    creditAccount(database.db, { accountId: account.id, micros, note, reference, ...by }),
  )
  if (options.json) {
    return writeJson({
      account_id: account.id,
      entry_id: made.entryId,
      credited_micros: micros,
      balance_micros: made.balanceMicros,
      reserved_micros: made.reservedMicros,
      repeated: made.repeated,
    })
  }
  process.stdout.write(`${usdText(made.balanceMicros)}\n`)
  talk.say(
    made.repeated
      ? `${reference} was credited before; nothing was done. Above is the balance after it.`
      : `Credited ${usdText(micros)} USD to ${account.id} (${account.name}). Above is its balance.`,
  )
}

/** As long as the API lets them be. */
function refuseText(option: string, text: string | undefined, maxLength: number): void {
  if (text === undefined || (text.trim() !== '' && text.length <= maxLength)) return
  throw usageFailure(option, `${option} must have 1 to ${maxLength} characters.`)
}
