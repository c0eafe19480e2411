/** `gesso keys create`: a new key, shown once, alone on stdout. */
import type { Command } from 'commander'
import { usageFailure } from './failure.ts'
import { keyJson } from './keys-json.ts'
import { told } from './keys-refusal.ts'
import { addKeySettings, type KeySettingOptions, modelsOf, openResolveModel } from './keys-settings.ts'
import { durationOption } from './option-values.ts'
import { limitsOf } from './option-values-limits.ts'
import { createTalk, writeJson } from './output.ts'
import { readKeyDefaults } from './read-key-defaults.ts'

interface KeysCreateOptions extends KeySettingOptions {
  account?: string
  expiresIn?: number
  promptInMetadata?: boolean
  json?: boolean
}

/** Adds the command to `keys`. */
export function addKeysCreate(keys: Command, env: NodeJS.ProcessEnv): void {
  const command = keys
    .command('create')
    .description('Make a key. It is shown this once and kept nowhere.')
    .option('--account <id|name>', 'whose key it is (default: the first account)')
  addKeySettings(command, { removable: false })
    .option('--expires-in <duration>', 'such as 45m, 12h, 30d or 2w (default: never)', durationOption)
    .option('--prompt-in-metadata', 'write the prompt into the files of its pictures')
    .option('--json', 'one JSON object')
    .action((options: KeysCreateOptions) => create(options, env))
}

async function create(options: KeysCreateOptions, env: NodeJS.ProcessEnv): Promise<void> {
  const { name } = options
  if (name === undefined) throw usageFailure('--name', '--name <name> is required: what is the key for?')
  const { openToolDatabase } = await import('./open-tool-database.ts')
  const { ensureDefaultAccount } = await import('../accounts/ensure-default-account.ts')
  const { findAccount } = await import('../accounts/find-account.ts')
  const { checkDefaultModel } = await import('../keys/check-default-model.ts')
  const { createKey } = await import('../keys/create-key.ts')
  const talk = createTalk(options)
  const defaults = readKeyDefaults(options.default ?? [])
  const resolveModel = await openResolveModel(env)
  const models = await told(() => modelsOf(options, resolveModel))
  await told(() => checkDefaultModel({ models, defaults }, resolveModel))
  const now = new Date()
  const expiresAt = options.expiresIn === undefined ? null : new Date(now.getTime() + options.expiresIn)
  await using database = await openToolDatabase(env, talk)
  const { db } = database
  const { account } = options
  const accountId =
    account === undefined ? await ensureDefaultAccount(db) : (await told(() => findAccount(db, account))).id
  const { key, summary } = await createKey(
    db,
    {
      ...limitsOf(options),
      accountId,
      name,
      scopes: options.scopes ?? ['images:write', 'images:read'],
      models,
      expiresAt,
      defaults,
      promptInMetadata: options.promptInMetadata,
    },
    { actor: { name: 'cli' }, now },
  )
  if (options.json) return writeJson({ ...keyJson(summary), key })
  process.stdout.write(`${key}\n`)
  const until = expiresAt ? ` until ${expiresAt.toISOString()}` : ''
  talk.say(`Made ${summary.id} (${name}) with ${summary.scopes.join(', ')}${until}.`)
  talk.say(`The key is shown this once. \`gesso keys revoke ${summary.id}\` ends it.`)
}
