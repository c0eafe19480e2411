/** `gesso keys list`: the keys there are, without their secrets. */
import type { Command } from 'commander'
import type { KeySummary } from '../keys/list-keys.ts'
import { createTalk, table, writeJson, writeLines } from './output.ts'

/** Adds the command to `keys`. */
export function addKeysList(keys: Command, env: NodeJS.ProcessEnv): void {
  keys
    .command('list')
    .description('List the keys, newest first.')
    .option('--json', '{"data": [keys]}')
    .action(async (options: { json?: boolean }) => {
      const { openToolDatabase } = await import('./open-tool-database.ts')
      const { listKeys } = await import('../keys/list-keys.ts')
      await using database = await openToolDatabase(env, createTalk(options))
      const found = await listKeys(database.db)
      if (options.json) return writeJson({ data: found.map(asJson) })
      const rows = found.map((key) => [
        key.id,
        key.name,
        `${key.hint}…`,
        key.scopes.join(','),
        key.requestsPerMinute === null ? 'default' : String(key.requestsPerMinute),
        key.createdAt.toISOString().slice(0, 10),
        state(key),
      ])
      writeLines(table(['ID', 'NAME', 'KEY', 'SCOPES', 'RPM', 'CREATED', 'STATE'], rows))
    })
}

function state(key: KeySummary): string {
  if (key.revokedAt) return 'revoked'
  if (!key.expiresAt) return 'active'
  const expired = key.expiresAt.getTime() <= Date.now()
  return `${expired ? 'expired' : 'active until'} ${key.expiresAt.toISOString().slice(0, 16)}Z`
}

function asJson(key: KeySummary): object {
  return {
    id: key.id,
    name: key.name,
    hint: key.hint,
    account: key.account,
    scopes: key.scopes,
    requests_per_minute: key.requestsPerMinute,
    defaults: key.defaults,
    prompt_in_metadata: key.promptInMetadata,
    created_at: key.createdAt.toISOString(),
    expires_at: key.expiresAt?.toISOString() ?? null,
    revoked_at: key.revokedAt?.toISOString() ?? null,
  }
}
