/**
 * One real PostgreSQL for the whole run of the suite: started before the first file, stopped after the last.
 * Every file that needs a database makes its own in it.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { openEmbeddedPostgres } from '../../src/db/embedded/open-embedded-postgres.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgres: { host: string; port: number; user: string; password: string }
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = mkdtempSync(join(tmpdir(), 'gesso-suite-'))
  const postgres = await openEmbeddedPostgres({ dataDir, role: 'server' })
  const { host, port, user, password } = postgres.connection
  project.provide('postgres', { host, port, user, password })
  return async () => {
    await postgres[Symbol.asyncDispose]()
    rmSync(dataDir, { recursive: true, force: true })
  }
}
