/** `gesso keys update`: changes what is named of a key, and nothing else. */
import type { Command } from 'commander'
import { usageFailure } from './failure.ts'
import { keyJson } from './keys-json.ts'
import { told } from './keys-refusal.ts'
import { addKeySettings, type KeySettingOptions, modelsOf, openResolveModel } from './keys-settings.ts'
import { durationOption, orNone, valueOrNull } from './option-values.ts'
import { limitsOf } from './option-values-limits.ts'
import { createTalk, writeJson } from './output.ts'
import { readKeyDefaults } from './read-key-defaults.ts'

interface KeysUpdateOptions extends KeySettingOptions {
  expiresIn?: number | 'none'
  /** False: `--no-defaults`. */
  defaults?: boolean
  promptInMetadata?: boolean
  disable?: boolean
  enable?: boolean
  json?: boolean
}

/** Adds the command to `keys`. */
export function addKeysUpdate(keys: Command, env: NodeJS.ProcessEnv): void {
  const command = keys
    .command('update')
    .description('Change what is named of a key. Servers follow within a second.')
    .argument('<id>', 'as `gesso keys list` shows it')
  addKeySettings(command, { removable: true })
    .option('--no-defaults', 'fill in nothing; --default puts others in place of all that there are')
    .option(
      '--expires-in <duration>',
      'from now, such as 45m, 12h, 30d or 2w, or none',
      orNone(durationOption),
    )
    .option('--prompt-in-metadata', 'write the prompt into the files of its pictures')
    .option('--no-prompt-in-metadata', 'do not')
    .option('--disable', 'refuse it until it is enabled')
    .option('--enable', 'accept it again')
    .option('--json', 'one JSON object')
    .action((id: string, options: KeysUpdateOptions) => update(id, options, env))
}

async function update(id: string, options: KeysUpdateOptions, env: NodeJS.ProcessEnv): Promise<void> {
  if (options.disable && options.enable)
    throw usageFailure('--enable', 'Say --disable or --enable, not both.')
  if (options.default && options.defaults === false)
    throw usageFailure('--default', 'Say --default or --no-defaults, not both.')
  const { openToolDatabase } = await import('./open-tool-database.ts')
  const { checkChangedModel } = await import('../keys/check-default-model.ts')
  const { getKey } = await import('../keys/get-key.ts')
  const { updateKey } = await import('../keys/update-key.ts')
  const talk = createTalk(options)
  const now = new Date()
  const resolveModel = await openResolveModel(env)
  const change = {
    ...limitsOf(options),
    name: options.name,
    scopes: options.scopes,
    models: await told(() => modelsOf(options, resolveModel)),
    defaults: options.default
      ? readKeyDefaults(options.default)
      : options.defaults === false
        ? {}
        : undefined,
    promptInMetadata: options.promptInMetadata,
    expiresAt:
      typeof options.expiresIn === 'number'
        ? new Date(now.getTime() + options.expiresIn)
        : valueOrNull<Date>(options.expiresIn),
    disabled: options.disable ? true : options.enable ? false : undefined,
  }
  if (Object.values(change).every((value) => value === undefined))
    throw usageFailure(null, 'Say what to change; --help lists what can be.')
  await using database = await openToolDatabase(env, talk)
  if (change.models || change.defaults) {
    const before = await told(() => getKey(database.db, id))
    await told(() => checkChangedModel(before, change, resolveModel))
  }
  const key = await told(() => updateKey(database.db, id, change, { actor: { name: 'cli' }, now }))
  if (options.json) return writeJson(keyJson(key))
  talk.say(`${id} is changed. Servers follow within a second.`)
}
