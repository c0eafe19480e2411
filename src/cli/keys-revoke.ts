/** `gesso keys revoke`: ends a key for good; asks first, and cannot ask a script. */
import { createInterface } from 'node:readline/promises'
import type { Command } from 'commander'
import { usageFailure } from './failure.ts'
import { interrupted } from './interrupt.ts'
import { told } from './keys-refusal.ts'
import { createTalk, writeJson } from './output.ts'
import { printable } from './printable.ts'

interface KeysRevokeOptions {
  force?: boolean
  yes?: boolean
  json?: boolean
}

/** Adds the command to `keys`. */
export function addKeysRevoke(keys: Command, env: NodeJS.ProcessEnv): void {
  keys
    .command('revoke')
    .description('End a key for good.')
    .argument('<id>', 'as `gesso keys list` shows it')
    .option('--force', 'also the last admin key')
    .option('--yes', 'do not ask; needed where nobody can answer')
    .option('--json', 'one JSON object')
    .action((id: string, options: KeysRevokeOptions) => revoke(id, options, env))
}

async function revoke(id: string, options: KeysRevokeOptions, env: NodeJS.ProcessEnv): Promise<void> {
  const canAsk = process.stdin.isTTY === true && process.stderr.isTTY === true && !options.json
  if (!options.yes && !canAsk) {
    throw usageFailure('--yes', 'Revoking cannot be undone, and nobody can be asked here: say --yes.')
  }
  const { openToolDatabase } = await import('./open-tool-database.ts')
  const { revokeKey } = await import('../keys/revoke-key.ts')
  const talk = createTalk(options)
  await using database = await openToolDatabase(env, talk)
  if (!options.yes) {
    const { getKey } = await import('../keys/get-key.ts')
    const { name } = await told(() => getKey(database.db, id))
    await confirm(`Revoke ${id} (${name}) for good? [y/N] `, database.interruption)
  }
  const outcome = await told(
    () => revokeKey(database.db, id, { now: new Date(), force: options.force, actor: { name: 'cli' } }),
    { last_admin_key: '--force revokes it all the same.' },
  )
  if (options.json) return writeJson({ id, revoked: true })
  talk.say(outcome === 'revoked' ? `${id} is revoked.` : `${id} was revoked before.`)
}

async function confirm(question: string, interruption: AbortSignal): Promise<void> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const controller = new AbortController()
  // The line editor takes Ctrl-C for itself; a signal comes from elsewhere.
  terminal.once('SIGINT', () => controller.abort())
  const signal = AbortSignal.any([controller.signal, interruption])
  try {
    const answer = await terminal.question(printable(question), { signal })
    if (/^y(es)?$/i.test(answer.trim())) return
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    terminal.close()
  }
  throw interrupted('Nothing was revoked.')
}
