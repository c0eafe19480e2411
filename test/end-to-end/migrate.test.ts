/** Several processes that start at once on one empty database: one brings it up to date, all go on. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { pendingMigrations } from '../../src/db/migrate.ts'
import { openDatabase } from '../../src/db/open-database.ts'
import { createEmptyDatabase } from '../setup/test-database.ts'
import { runCli } from './run-cli.ts'

const processes = 4

test(`${processes} processes that migrate one empty database at once all succeed, and each migration runs once`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gesso-migrate-'))
  const database = await createEmptyDatabase()
  try {
    const env = { DATABASE_URL: database.url, GESSO_DATA_DIR: join(folder, 'data') }
    const runs = await Promise.all(
      Array.from({ length: processes }, () => runCli(['migrate', '--json'], { cwd: folder, env })),
    )
    for (const run of runs) expect(run).toMatchObject({ code: 0, stderr: '' })
    const ran = runs.flatMap((run) => JSON.parse(run.stdout).migrations as string[])
    expect(ran).toContain('0001-spine')
    expect(new Set(ran).size).toBe(ran.length)
    await using opened = openDatabase({ connectionString: database.url }, { poolSize: 1 })
    expect(await pendingMigrations(opened.db)).toEqual([])
  } finally {
    await database.drop()
    rmSync(folder, { recursive: true, force: true })
  }
})
