/** `gesso keys rotate`: another secret with the same settings, shown once, alone on stdout. */
import type { Command } from 'commander'
import { keyJson } from './keys-json.ts'
import { told } from './keys-refusal.ts'
import { durationOption, orNone } from './option-values.ts'
import { createTalk, writeJson } from './output.ts'

interface KeysRotateOptions {
  overlap?: number | 'none'
  json?: boolean
}

/** Adds the command to `keys`. */
export function addKeysRotate(keys: Command, env: NodeJS.ProcessEnv): void {
  keys
    .command('rotate')
    .description(
      'Make a successor of a key, with the same settings. Both work for a while, and their limits count them together.',
    )
    .argument('<id>', 'as `gesso keys list` shows it')
    .option(
      '--overlap <duration>',
      'how long the old key still works, such as 45m or 7d, or none (default: 1d)',
      orNone(durationOption),
    )
    .option('--json', 'one JSON object')
    .action((id: string, options: KeysRotateOptions) => rotate(id, options, env))
}

async function rotate(id: string, options: KeysRotateOptions, env: NodeJS.ProcessEnv): Promise<void> {
  const { openToolDatabase } = await import('./open-tool-database.ts')
  const { rotateKey } = await import('../keys/rotate-key.ts')
  const { loadConfig } = await import('../config/load-config.ts')
  const { adminFileOf, replaceAdminKey } = await import('./keys-admin-file.ts')
  const talk = createTalk(options)
  const { overlap } = options
  const overlapSeconds = overlap === 'none' ? 0 : overlap && overlap / 1_000
  await using database = await openToolDatabase(env, talk)
  const adminFile = await adminFileOf(database, id, loadConfig(env, process.cwd()).config.data_dir)
  const by = { actor: { name: 'cli' }, now: new Date() }
  const { key, summary, oldExpiresAt } = await told(() => rotateKey(database.db, id, { overlapSeconds }, by))
  if (options.json) writeJson({ ...keyJson(summary), key, replaced_expires_at: oldExpiresAt.toISOString() })
  else process.stdout.write(`${key}\n`)
  talk.say(
    `Made ${summary.id} (${summary.name}) in place of ${id}, which ends at ${oldExpiresAt.toISOString()}.`,
  )
  if (adminFile === undefined) return talk.say('The key is shown this once.')
  replaceAdminKey(adminFile, key)
  talk.say(`It is in ${adminFile} now, where the old one was.`)
}
