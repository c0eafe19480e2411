/** The PostgreSQL programs from npm: found, completed, or explained. On copies, never on the installed package. */

import { spawnSync } from 'node:child_process'
import { chmod, cp, lstat, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { installedPackageRoot, locateBinaries, prepareBinaries } from './binaries.ts'
import { runCommand } from './run-command.ts'

// It copies 60 MB.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

const nobody = 65_534
const installed = installedPackageRoot(`${process.platform}-${process.arch}`)

let scratch: string
let copy: string

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'gesso-binaries-'))
  await chmod(scratch, 0o755)
  copy = join(scratch, 'package')
  // As npm unpacks it when install scripts are off: without the links.
  const isNoLink = async (path: string) => !(await lstat(path)).isSymbolicLink()
  await cp(installed, copy, { recursive: true, filter: isNoLink })
})

afterAll(() => rm(scratch, { recursive: true, force: true }))

test('a package that may not be completed is explained', async ({ skip }) => {
  skip(process.getuid?.() !== 0, 'root alone can become a user without write access')
  const binaries = await locateBinaries(copy)
  const url = import.meta.resolve('./binaries.ts')
  const script = `
    import { prepareBinaries } from ${JSON.stringify(url)}
    await prepareBinaries(${JSON.stringify(binaries)}).catch((error) => console.log(error.message))`
  const args = ['--input-type=module', '-e', script]
  const child = spawnSync(process.execPath, args, { uid: nobody, gid: nobody, cwd: '/', encoding: 'utf8' })
  skip(child.status !== 0, 'the checkout is out of reach for other users')
  expect(child.stdout).toMatch(/is not complete and cannot be completed \(EACCES.*npm rebuild.*DATABASE_URL/)
})

test('missing library links and execute bits are made, and the programs run', async () => {
  const binaries = await locateBinaries(copy)
  await chmod(binaries.initdb, 0o644)
  await expect(runCommand({ command: binaries.postgres, args: ['--version'] })).rejects.toThrow(/libicu/)

  await Promise.all([prepareBinaries(binaries), prepareBinaries(binaries)])
  for (const command of [binaries.postgres, binaries.initdb, binaries.pgCtl]) {
    expect(await runCommand({ command, args: ['--version'] })).toContain(`(PostgreSQL) ${binaries.major}.`)
  }
  const links = JSON.parse(await readFile(join(copy, 'native', 'pg-symlinks.json'), 'utf8')) as {
    target: string
  }[]
  for (const { target } of links) expect((await lstat(join(copy, target))).isSymbolicLink()).toBe(true)
})

test('a platform without a package is told about DATABASE_URL', () => {
  expect(() => installedPackageRoot('sunos-x64')).toThrow(
    'Gesso brings no PostgreSQL for sunos-x64. Set DATABASE_URL to a PostgreSQL of your own.',
  )
  const foreign = process.platform === 'win32' ? 'linux-arm' : 'win32-x64'
  expect(() => installedPackageRoot(foreign)).toThrow(/is not installed.*--omit=optional.*DATABASE_URL/)
})

test('a path that a shell would read as a command is refused', async () => {
  const binaries = await locateBinaries(copy)
  await expect(prepareBinaries({ ...binaries, packageRoot: '/srv/`id`/package' })).rejects.toThrow(
    /cannot be started/,
  )
})
