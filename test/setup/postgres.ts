/**
 * One real PostgreSQL for the whole run of the suite: started before the first file, stopped after the last.
 * Every file that needs a database makes its own in it. A stopped copy of it spares others the making.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { openEmbeddedPostgres } from '../../src/db/embedded/open-embedded-postgres.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgres: { host: string; port: number; user: string; password: string }
    /** See `prepared-data-dir.ts`. */
    preparedDataDir: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'gesso-suite-'))
  const dataDir = join(folder, 'data')
  const prepared = join(folder, 'prepared')
  const first = await openEmbeddedPostgres({ dataDir, role: 'server' })
  await first[Symbol.asyncDispose]()
  execFileSync('cp', ['-a', dataDir, prepared])
  const postgres = await openEmbeddedPostgres({ dataDir, role: 'server' })
  const { host, port, user, password } = postgres.connection
  project.provide('postgres', { host, port, user, password })
  project.provide('preparedDataDir', prepared)
  return async () => {
    await postgres[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  }
}
