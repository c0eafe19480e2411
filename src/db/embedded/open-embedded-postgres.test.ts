/**
 * Gesso's own PostgreSQL, for real: real clusters, real kills, real second processes.
 *
 * A child process holds the database where a test needs somebody to kill or to compete with. Only processes
 * started here are ever killed.
 */

import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { copyPreparedDataDir } from '../../../test/setup/prepared-data-dir.ts'
import type { ClusterConnection } from './cluster-claim.ts'
import { DataDirectoryInUseError, openEmbeddedPostgres } from './open-embedded-postgres.ts'
import { isRunning, judgePostmaster, readPostmasterRecord } from './postmaster.ts'
import {
  claimedAgain,
  kill,
  killPostmaster,
  lockCount,
  nobody,
  nobodyReaches,
  query,
} from './testing/cluster-probes.ts'

// A machine under load takes its time to make a cluster.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 })

const isRoot = process.getuid?.() === 0

let scratch: string
let dataDir: string
let children: ChildProcessByStdio<Writable, Readable, null>[]

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'gesso-pg-'))
  await chmod(scratch, 0o755)
  dataDir = join(scratch, 'data')
  children = []
})

afterEach(async () => {
  for (const child of children) await kill(child)
  for (const entry of await readdir(scratch, { recursive: true })) {
    if (entry.endsWith('postmaster.pid')) await killPostmaster(join(scratch, entry, '../..'))
  }
  await rm(scratch, { recursive: true, force: true })
})

test('the first open makes a private cluster that answers to its password alone, whatever the umask is', async () => {
  const holder = await hold('server', { umask: 0 })
  expect(holder.answer.adopted).toBe(false)
  expect(await query(holder.answer.connection, 'select current_database() as name')).toEqual([
    { name: 'gesso' },
  ])
  expect(await modesOf('.', 'postgres', 'postgres.password', 'postgres.log')).toEqual([
    0o700, 0o700, 0o600, 0o600,
  ])
  const [settings] = await query(
    holder.answer.connection,
    `select current_setting('data_checksums') as checksums, current_setting('fsync') as fsync,
            current_setting('synchronous_commit') as commit, current_setting('listen_addresses') as listens,
            current_setting('server_encoding') as encoding, current_setting('password_encryption') as passwords`,
  )
  expect(settings).toEqual({
    checksums: 'on',
    fsync: 'on',
    commit: 'on',
    listens: '',
    encoding: 'UTF8',
    passwords: 'scram-sha-256',
  })
  const guessed = { ...(holder.answer.connection as ClusterConnection), password: 'guess' }
  await expect(query(guessed, 'select 1')).rejects.toMatchObject({ code: '28P01' })
  await holder.release()
  expect(await readPostmasterRecord(clusterDir())).toBeNull()
})

test('data and password survive a stop, and remains of a killed initdb are cleared away', async () => {
  await mkdir(join(dataDir, 'postgres.init-999999999-1-aa', 'cluster'), { recursive: true })
  {
    await using db = await openEmbeddedPostgres({ dataDir, role: 'server' })
    await query(db.connection, 'create table kept as select 42 as n')
  }
  const password = await readFile(join(dataDir, 'postgres.password'), 'utf8')
  await using db = await openEmbeddedPostgres({ dataDir, role: 'server' })
  expect(db.adopted).toBe(false)
  expect(await query(db.connection, 'select n from kept')).toEqual([{ n: 42 }])
  expect(await readFile(join(dataDir, 'postgres.password'), 'utf8')).toBe(password)
  expect((await readdir(dataDir)).sort()).toEqual(['postgres', 'postgres.log', 'postgres.password'])
})

test('after kill -9 of its holder the running server is found and used', async () => {
  copyPreparedDataDir(dataDir)
  const holder = await hold('server')
  await query(holder.answer.connection, 'create table kept as select 42 as n')
  const before = await readPostmasterRecord(clusterDir())
  await kill(holder.child)
  await using db = await openEmbeddedPostgres({ dataDir, role: 'server' })
  expect(db.adopted).toBe(true)
  expect((await readPostmasterRecord(clusterDir()))?.pid).toBe(before?.pid)
  expect(await query(db.connection, 'select n from kept')).toEqual([{ n: 42 }])
})

test('after kill -9 of the server and its holder the next open recovers what was committed', async () => {
  copyPreparedDataDir(dataDir)
  const holder = await hold('server')
  await query(holder.answer.connection, 'create table kept as select 42 as n')
  // The holder first: it would start its server again.
  await kill(holder.child)
  await killPostmaster(dataDir)
  await using db = await openEmbeddedPostgres({ dataDir, role: 'server' })
  expect(db.adopted).toBe(false)
  expect(await query(db.connection, 'select n from kept')).toEqual([{ n: 42 }])
})

test('a second server is refused by name, and the first goes on working', async () => {
  copyPreparedDataDir(dataDir)
  const holder = await hold('server')
  const refusal = await openEmbeddedPostgres({ dataDir, role: 'server' }).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(DataDirectoryInUseError)
  expect(refusal).toHaveProperty(
    'message',
    `Another Gesso already uses the data directory ${dataDir} (process ${holder.child.pid}). ` +
      'Stop it first, or give this one its own with GESSO_DATA_DIR.',
  )
  expect(await query(holder.answer.connection, 'select 1 as n')).toEqual([{ n: 1 }])
})

test('a tool works beside a server and does not stop it; the last to leave does', async () => {
  copyPreparedDataDir(dataDir)
  const server = await openEmbeddedPostgres({ dataDir, role: 'server' })
  const tool = await openEmbeddedPostgres({ dataDir, role: 'tool' })
  expect(tool.adopted).toBe(true)
  await tool[Symbol.asyncDispose]()
  expect(await query(server.connection, 'select 1 as n')).toEqual([{ n: 1 }])

  const lateTool = await openEmbeddedPostgres({ dataDir, role: 'tool' })
  await server[Symbol.asyncDispose]()
  expect(await query(lateTool.connection, 'select 1 as n')).toEqual([{ n: 1 }])
  await lateTool[Symbol.asyncDispose]()
  expect(await readPostmasterRecord(clusterDir())).toBeNull()
})

test('of two first starts at once exactly one wins', async () => {
  const both = await Promise.all([hold('server'), hold('server')])
  const winners = both.filter(({ answer }) => answer.error === undefined)
  const losers = both.filter(({ answer }) => answer.error !== undefined)
  expect(winners).toHaveLength(1)
  expect(losers[0]?.answer.error).toBe('DataDirectoryInUseError')
  expect(losers[0]?.answer.message).toContain(`(process ${winners[0]?.child.pid})`)
  expect(await query(winners[0]?.answer.connection, 'select 1 as n')).toEqual([{ n: 1 }])
  expect((await readdir(dataDir)).sort()).toEqual(['postgres', 'postgres.log', 'postgres.password'])
})

test('two tools that start at once share one server, and leaving at once stops it', async () => {
  copyPreparedDataDir(dataDir)
  const tools = await Promise.all([1, 2].map(() => openEmbeddedPostgres({ dataDir, role: 'tool' })))
  for (const tool of tools) expect(await query(tool.connection, 'select 1 as n')).toEqual([{ n: 1 }])
  await Promise.all(tools.map((tool) => tool[Symbol.asyncDispose]()))
  expect(await readPostmasterRecord(clusterDir())).toBeNull()
})

test('an open in the middle of a stop ends with a working server', async () => {
  copyPreparedDataDir(dataDir)
  const first = await openEmbeddedPostgres({ dataDir, role: 'server' })
  const stopping = first[Symbol.asyncDispose]()
  for (let round = 0; round < 3; round++) {
    await using db = await openEmbeddedPostgres({ dataDir, role: 'server' })
    expect(await query(db.connection, 'select 1 as n')).toEqual([{ n: 1 }])
  }
  await stopping
})

test('a server that is killed while it is used is started again, with what was committed, and says so', async () => {
  copyPreparedDataDir(dataDir)
  const notices: string[] = []
  const db = await openEmbeddedPostgres({ dataDir, role: 'server', onNotice: (text) => notices.push(text) })
  await query(db.connection, 'create table kept as select 42 as n')
  for (let round = 0; round < 2; round++) {
    await killPostmaster(dataDir)
    await claimedAgain(db.connection)
  }
  expect(await query(db.connection, 'select n from kept')).toEqual([{ n: 42 }])
  expect(notices.filter((text) => text.includes('was started again'))).toHaveLength(2)
  await db[Symbol.asyncDispose]()
  expect(await readPostmasterRecord(clusterDir())).toBeNull()
})

test('of several that start a killed server again one wins, all go on, and the last to leave stops it', async () => {
  copyPreparedDataDir(dataDir)
  const server = await openEmbeddedPostgres({ dataDir, role: 'server' })
  const tools = await Promise.all([hold('tool'), hold('tool')])
  await killPostmaster(dataDir)
  await claimedAgain(server.connection)
  // Everyone who uses it holds the users' lock, shared.
  await expect.poll(() => lockCount(server.connection, 'ShareLock'), { timeout: 20_000 }).toBe(3)
  for (const { answer } of tools) expect(await query(answer.connection, 'select 1 as n')).toEqual([{ n: 1 }])
  await server[Symbol.asyncDispose]()
  expect(await query(tools[0]?.answer.connection, 'select 1 as n')).toEqual([{ n: 1 }])
  for (const tool of tools) await tool.release()
  expect(await readPostmasterRecord(clusterDir())).toBeNull()
})

test('a server that is killed just before its user leaves stays down', async () => {
  copyPreparedDataDir(dataDir)
  for (const waitMs of [0, 200]) {
    const db = await openEmbeddedPostgres({ dataDir, role: 'server' })
    await killPostmaster(dataDir)
    await sleep(waitMs)
    await db[Symbol.asyncDispose]()
    await sleep(300)
    const record = await readPostmasterRecord(clusterDir())
    expect(record === null ? 'gone' : await judgePostmaster(clusterDir(), record.pid)).not.toBe('alive')
  }
})

test('a data directory that was taken away does not come back empty', async () => {
  copyPreparedDataDir(dataDir)
  const notices: string[] = []
  await using _db = await openEmbeddedPostgres({
    dataDir,
    role: 'server',
    onNotice: (text) => notices.push(text),
  })
  const away = join(scratch, 'away')
  await rename(dataDir, away)
  await mkdir(dataDir)
  await killPostmaster(away)
  await expect.poll(() => notices.join(), { timeout: 10_000 }).toMatch(/The PostgreSQL cluster .* is gone/)
  expect(await readdir(dataDir)).toEqual([])
})

test('a data directory with a long, odd name is served on loopback alone', async () => {
  dataDir = join(scratch, `data $HOME "quoted" 'it' ${'x'.repeat(100)}`)
  await using db = await openEmbeddedPostgres({ dataDir, role: 'server' })
  expect(db.connection.host).toBe('127.0.0.1')
  expect(
    await query(
      db.connection,
      `select current_setting('listen_addresses') as listens,
              current_setting('unix_socket_directories') as sockets`,
    ),
  ).toEqual([{ listens: '127.0.0.1', sockets: '' }])
  // Started again it is where its users look for it.
  await killPostmaster(dataDir)
  await claimedAgain(db.connection)
})

test('a stale lock file that names a living stranger is removed, and the stranger lives on', async () => {
  copyPreparedDataDir(dataDir)
  {
    await using db = await openEmbeddedPostgres({ dataDir, role: 'server' })
    await query(db.connection, 'create table kept as select 42 as n')
  }
  const stranger = spawn('sleep', ['60'])
  try {
    const pid = String(stranger.pid)
    const lines = [pid, clusterDir(), '1700000000', '5432', '.', '', '', 'ready   ', '']
    await writeFile(join(clusterDir(), 'postmaster.pid'), lines.join('\n'), { mode: 0o600 })
    await writeFile(join(clusterDir(), '.s.PGSQL.5432.lock'), lines.slice(0, 5).join('\n'), { mode: 0o600 })
    await using db = await openEmbeddedPostgres({ dataDir, role: 'server' })
    expect(await query(db.connection, 'select n from kept')).toEqual([{ n: 42 }])
    expect(isRunning(stranger.pid ?? 0)).toBe(true)
  } finally {
    stranger.kill('SIGKILL')
  }
})

test('a cluster of another major version, a lost password and a foreign folder are named in a sentence', async () => {
  await mkdir(clusterDir(), { recursive: true })
  await writeFile(join(clusterDir(), 'notes.txt'), 'mine')
  const open = () => openEmbeddedPostgres({ dataDir, role: 'server' })
  await expect(open()).rejects.toThrow(/holds no PostgreSQL cluster\. Move it away/)
  await writeFile(join(clusterDir(), 'PG_VERSION'), '12\n')
  await expect(open()).rejects.toThrow(
    /was made by PostgreSQL 12, and this Gesso brings PostgreSQL \d+.*DATABASE_URL/,
  )
  await rm(clusterDir(), { recursive: true })
  await (await open())[Symbol.asyncDispose]()
  await rm(join(dataDir, 'postgres.password'))
  await expect(open()).rejects.toThrow(/postgres\.password is missing.*Restore it from a backup/)
})

test('a server that cannot start says why, with the end of its log and without the password', async () => {
  copyPreparedDataDir(dataDir)
  await (await openEmbeddedPostgres({ dataDir, role: 'server' }))[Symbol.asyncDispose]()
  await writeFile(join(clusterDir(), 'postgresql.conf'), "shared_buffers = 'plenty'\n")
  const failure = await openEmbeddedPostgres({ dataDir, role: 'server' }).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(Error)
  expect(failure).toHaveProperty(
    'message',
    expect.stringMatching(/invalid value for parameter "shared_buffers"/),
  )
  const password = (await readFile(join(dataDir, 'postgres.password'), 'utf8')).trim()
  expect(String(failure)).not.toContain(password)
})

test('an ordinary user can open it', async ({ skip }) => {
  skip(!isRoot, 'this run is an ordinary user already')
  skip(!nobodyReaches(process.execPath), 'the checkout is out of reach for other users')
  await mkdir(dataDir, { mode: 0o700 })
  await chown(dataDir, nobody, nobody)
  const holder = await hold('server', { uid: nobody })
  expect(holder.answer.message).toBeUndefined()
  expect(await query(holder.answer.connection, 'select 1 as n')).toEqual([{ n: 1 }])
  expect((await stat(clusterDir())).uid).toBe(nobody)
  // The same cluster, opened by root later, stays that user's.
  await holder.release()
  await using db = await openEmbeddedPostgres({ dataDir, role: 'server' })
  expect(await query(db.connection, 'select 1 as n')).toEqual([{ n: 1 }])
  expect((await stat(join(clusterDir(), 'postmaster.pid'))).uid).toBe(nobody)
})

test("an ordinary user is told when the data is another user's", async ({ skip }) => {
  skip(!isRoot, 'only root can make files of others')
  skip(!nobodyReaches(process.execPath), 'the checkout is out of reach for other users')
  await mkdir(dataDir, { mode: 0o700 })
  const closed = await hold('server', { uid: nobody })
  expect(closed.answer.message).toMatch(/may not use its data directory .* user with id 0 .*GESSO_DATA_DIR/)
  await chmod(dataDir, 0o777)
  await mkdir(clusterDir(), { mode: 0o700 })
  const foreign = await hold('server', { uid: nobody })
  expect(foreign.answer.message).toMatch(
    /belongs to the user with id 0, and Gesso runs as 65534.*DATABASE_URL/,
  )
})

interface Answer {
  adopted?: boolean
  connection?: ClusterConnection
  error?: string
  message?: string
}

/** A child process that opens the data directory and holds it until `release` or a kill. */
async function hold(role: 'server' | 'tool', options: { umask?: number; uid?: number } = {}) {
  const script = `
    import { openEmbeddedPostgres } from ${JSON.stringify(import.meta.resolve('./open-embedded-postgres.ts'))}
    process.umask(${options.umask ?? 0o022})
    const say = (answer) => process.stdout.write(JSON.stringify(answer) + '\\n')
    try {
      const db = await openEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)}, role: '${role}' })
      say({ adopted: db.adopted, connection: db.connection })
      process.stdin.resume().once('end', () => db[Symbol.asyncDispose]())
    } catch (error) {
      say({ error: error.name, message: error.message })
      process.stdin.destroy()
    }`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
    uid: options.uid,
    gid: options.uid,
    cwd: '/',
  })
  children.push(child)
  let text = ''
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    text += String(chunk)
    if (text.includes('\n')) break
  }
  const release = async () => {
    child.stdin.end()
    if (child.exitCode === null) await once(child, 'exit')
  }
  return { child, answer: JSON.parse(text) as Answer, release }
}

async function modesOf(...names: string[]): Promise<number[]> {
  const entries = await Promise.all(names.map((name) => stat(join(dataDir, name))))
  return entries.map(({ mode }) => mode & 0o777)
}

function clusterDir(): string {
  return join(dataDir, 'postgres')
}
