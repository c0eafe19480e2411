/** PostgreSQL refuses to run as root. What Gesso does about it where namespaces are off, with programs that fail. */
import { statSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openEmbeddedPostgres } from './open-embedded-postgres.ts'
import { standardSearchPath } from './run-command.ts'
import { nobody, nobodyReaches, query } from './testing/cluster-probes.ts'

// A machine under load takes its time to make a cluster.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 })

const isRoot = process.getuid?.() === 0

let scratch: string
let dataDir: string
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'gesso-run-as-'))
  // Another user must reach what is in it.
  await chmod(scratch, 0o755)
  dataDir = join(scratch, 'data')
})
afterEach(() => rm(scratch, { recursive: true, force: true }))

test('root without user namespaces runs it as a separate user', async ({ skip }) => {
  skip(!isRoot, 'only root needs another user')
  skip(!nobodyReaches(process.execPath), 'the checkout is out of reach for other users')
  const searchPath = await fakePrograms({ unshare: 'exit 1', id: `echo ${nobody}` })
  {
    await using db = await openEmbeddedPostgres({ dataDir, role: 'server', searchPath })
    await query(db.connection, 'create table kept as select 42 as n')
    expect(statSync(join(dataDir, 'postgres/postmaster.pid')).uid).toBe(nobody)
    const modes = ['.', 'postgres', 'postgres.password'].map(
      (name) => statSync(join(dataDir, name)).mode & 0o777,
    )
    expect(modes).toEqual([0o710, 0o700, 0o600])
  }
  await using again = await openEmbeddedPostgres({ dataDir, role: 'server' })
  expect(await query(again.connection, 'select n from kept')).toEqual([{ n: 42 }])
})

test('root with neither namespaces nor another user is told about DATABASE_URL', async ({ skip }) => {
  skip(!isRoot, 'only root needs another user')
  const searchPath = await fakePrograms({ unshare: 'exit 1', id: 'exit 1', useradd: 'exit 1' })
  await expect(openEmbeddedPostgres({ dataDir, role: 'server', searchPath })).rejects.toThrow(
    /refuses to run as root, a user namespace is not available.*DATABASE_URL/s,
  )
  expect(await readdir(dataDir)).toEqual(['postgres.password'])
})

/** A search path with these shell scripts in front of the real programs. */
async function fakePrograms(scripts: Record<string, string>): Promise<string> {
  const folder = join(scratch, 'programs')
  await mkdir(folder)
  for (const [name, body] of Object.entries(scripts)) {
    await writeFile(join(folder, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 })
  }
  return `${folder}:${standardSearchPath}`
}
