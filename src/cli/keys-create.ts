/** `gesso keys create`: a new key, shown once, alone on stdout. */
import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { keyDefaultNames } from '../keys/key-defaults.ts'
import { type Scope, scopes } from '../keys/scopes.ts'
import { countOption, durationOption } from './option-values.ts'
import { createTalk, writeJson } from './output.ts'
import { readKeyDefaults } from './read-key-defaults.ts'

interface KeysCreateOptions {
  name: string
  scopes: Scope[]
  rpm?: number
  expiresIn?: number
  default: string[]
  promptInMetadata?: boolean
  json?: boolean
}

/** Adds the command to `keys`. */
export function addKeysCreate(keys: Command, env: NodeJS.ProcessEnv): void {
  keys
    .command('create')
    .description('Make a key. It is shown this once and kept nowhere.')
    .requiredOption('--name <name>', 'what the key is for', nameOption)
    .option('--scopes <list>', `any of ${scopes.join(', ')}, parted by commas`, scopesOption, [
      'images:write',
      'images:read',
    ])
    .option('--rpm <count>', "generations per minute (default: the server's)", countOption)
    .option('--expires-in <duration>', 'such as 45m, 12h, 30d or 2w (default: never)', durationOption)
    .option(
      '--default <field=value>',
      `filled in where a caller is silent, again for each: ${keyDefaultNames.join(', ')}`,
      collect,
      [],
    )
    .option('--prompt-in-metadata', 'write the prompt into the files of its pictures')
    .option('--json', 'one JSON object')
    .action((options: KeysCreateOptions) => create(options, env))
}

async function create(options: KeysCreateOptions, env: NodeJS.ProcessEnv): Promise<void> {
  const { openToolDatabase } = await import('./open-tool-database.ts')
  const { ensureDefaultAccount } = await import('../accounts/ensure-default-account.ts')
  const { createKey } = await import('../keys/create-key.ts')
  const talk = createTalk(options)
  const defaults = readKeyDefaults(options.default)
  const expiresAt = options.expiresIn === undefined ? undefined : new Date(Date.now() + options.expiresIn)
  await using database = await openToolDatabase(env, talk)
  const { id, key } = await createKey(database.db, {
    accountId: await ensureDefaultAccount(database.db),
    name: options.name,
    scopes: options.scopes,
    requestsPerMinute: options.rpm,
    expiresAt,
    defaults,
    promptInMetadata: options.promptInMetadata,
  })
  if (options.json) {
    const { name } = options
    const expires = expiresAt?.toISOString() ?? null
    return writeJson({
      id,
      key,
      name,
      scopes: options.scopes,
      requests_per_minute: options.rpm ?? null,
      expires_at: expires,
      defaults,
      prompt_in_metadata: options.promptInMetadata ?? false,
    })
  }
  process.stdout.write(`${key}\n`)
  talk.say(
    `Made ${id} (${options.name}) with ${options.scopes.join(', ')}${expiresAt ? ` until ${expiresAt.toISOString()}` : ''}.`,
  )
  talk.say(`The key is shown this once. \`gesso keys revoke ${id}\` ends it.`)
}

function collect(value: string, before: string[]): string[] {
  return [...before, value]
}

function nameOption(text: string): string {
  const name = text.trim()
  if (name === '' || name.length > 100) throw new InvalidArgumentError('It must have 1 to 100 characters.')
  return name
}

function scopesOption(text: string): Scope[] {
  const words = [...new Set(text.split(',').map((word) => word.trim()))]
  const known = words.filter((word): word is Scope => scopes.some((scope) => scope === word))
  if (known.length !== words.length) throw new InvalidArgumentError(`Allowed are ${scopes.join(', ')}.`)
  return known
}
