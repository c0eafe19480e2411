/**
 * A whole Gesso for one test file: real server on a free port, real database, a data directory of its own.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type App, openApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { createMigratedDatabase } from './test-database.ts'

export interface World extends AsyncDisposable {
  app: App
  url: string
  key: string
  dataDir: string
  databaseUrl: string
  /** A JSON request with the first key; the body becomes a POST. */
  call(path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>
}

/** Starts a Gesso with these variables beside the ones that isolate it. */
export async function openWorld(
  env: Record<string, string> = {},
  options: { clock?: Clock } = {},
): Promise<World> {
  await using stack = new AsyncDisposableStack()
  const dataDir = mkdtempSync(join(tmpdir(), 'gesso-world-'))
  stack.defer(() => rmSync(dataDir, { recursive: true, force: true }))
  const database = await createMigratedDatabase()
  stack.defer(() => database.drop())
  const loaded = loadConfig(
    {
      GESSO_PORT: '0',
      GESSO_DATA_DIR: dataDir,
      DATABASE_URL: database.url,
      GESSO_LOG_LEVEL: 'silent',
      ...env,
    },
    dataDir,
  )
  const app = stack.use(await openApp(loaded, options))
  const key = app.firstKey.key.reveal()
  const owned = stack.move()
  return {
    app,
    url: app.publicUrl,
    key,
    dataDir,
    databaseUrl: database.url,
    call: (path, body, headers = {}) =>
      fetch(new URL(path, app.publicUrl), {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          authorization: `Bearer ${key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        body: body === undefined ? undefined : JSON.stringify(body),
      }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
