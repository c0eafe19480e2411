/** The command line where no server is named: it finds the one that runs, or starts one of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase } from '../../src/db/open-database.ts'
import { sniffFormat } from '../../src/media/image-format.ts'
import { endLeftovers, startGesso } from '../setup/gesso-process.ts'
import { createEmptyDatabase } from '../setup/test-database.ts'
import { fakeOpenAiKey, startFakeOpenAi } from '../upstreams/openai.ts'
import { runCli } from './run-cli.ts'

let folder: string
let dataDir: string
let database: Awaited<ReturnType<typeof createEmptyDatabase>>
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gesso-cli-alone-'))
  dataDir = join(folder, 'data')
  database = await createEmptyDatabase()
})
afterAll(async () => {
  await endLeftovers()
  await database?.drop()
  rmSync(folder, { recursive: true, force: true })
})

const gesso = (args: readonly string[], env: Record<string, string> = {}) =>
  runCli(args, { cwd: folder, env: { GESSO_DATA_DIR: dataDir, DATABASE_URL: database.url, ...env } })

// In the order of a life: nothing there, the first call, then a server.
test('doctor on a fresh install finds nothing wrong and makes nothing', async () => {
  const run = await gesso(['doctor'])
  expect(run).toMatchObject({ code: 0, stderr: '' })
  expect(run.stdout).toMatch(/^warn {2}data .*does not exist yet/m)
  expect(run.stdout).toMatch(/^warn {2}database .*the next start runs 0001-spine/m)
  expect(existsSync(dataDir)).toBe(false)
})

test('migrate prints what ran, once', async () => {
  const first = await gesso(['migrate', '--json'])
  expect(first).toMatchObject({ code: 0, stderr: '' })
  expect(JSON.parse(first.stdout).migrations).toContain('0001-spine')
  expect(await gesso(['migrate'])).toMatchObject({ code: 0, stdout: '' })
})

test('generate without a server starts one for the call, and leaves none behind', async () => {
  const run = await gesso(['generate', 'a red boat', '--size', '64x64', '-o', 'boat.png'])
  expect(run).toMatchObject({ code: 0, stdout: 'boat.png\n' })
  expect(run.stderr).toContain('starting one for this call')
  expect(sniffFormat(readFileSync(join(folder, 'boat.png')))).toBe('png')
  expect(existsSync(join(dataDir, 'server.json'))).toBe(false)

  const refused = await gesso(['generate', ' ', '--json'])
  expect(refused).toMatchObject({ code: 5, stdout: '' })
  expect(JSON.parse(refused.stderr).error.param).toBe('prompt')
})

test('Ctrl-C on a server of its own lets the picture under way be finished and kept, then ends with 130', async () => {
  await using openai = await startFakeOpenAi({ latencyMs: 800 })
  const run = await runCli(['generate', 'interrupted', '-m', 'gpt-image-2', '-o', 'never.png'], {
    cwd: folder,
    env: {
      GESSO_DATA_DIR: dataDir,
      DATABASE_URL: database.url,
      OPENAI_API_KEY: fakeOpenAiKey,
      OPENAI_BASE_URL: openai.url,
    },
    onStderr(text, kill) {
      if (text.includes('Drawing with')) setTimeout(() => kill('SIGINT'), 400)
    },
  })
  expect(run).toMatchObject({ code: 130, stdout: '' })
  expect(run.stderr).toContain('finished and kept first')
  expect(existsSync(join(folder, 'never.png'))).toBe(false)
  expect(openai.submissions()).toBe(1)
  await using opened = openDatabase({ connectionString: database.url }, { poolSize: 1 })
  const tasks = await opened.db
    .selectFrom('tasks')
    .select('status')
    .where('model', '=', 'gpt-image-2')
    .execute()
  expect(tasks).toEqual([{ status: 'SUCCEEDED' }])
})

test('a running server is found on whatever port it has, and no more once it stopped', async () => {
  const program = fileURLToPath(new URL('../../bin/gesso.js', import.meta.url))
  const server = spawn(process.execPath, [program, 'serve'], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      GESSO_DATA_DIR: dataDir,
      DATABASE_URL: database.url,
      GESSO_PORT: '0',
      GESSO_LOG_LEVEL: 'silent',
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const file = join(dataDir, 'server.json')
  try {
    await once(server.stdout, 'data')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const { url, pid } = JSON.parse(readFileSync(file, 'utf8'))
    expect(pid).toBe(server.pid)

    const models = await gesso(['models'])
    expect(models.code).toBe(0)
    expect(models.stdout).toMatch(/^gesso-collage +yes +gesso/m)
    expect(models.stderr).not.toContain('starting one')
    expect((await gesso(['doctor'])).stdout).toContain(`${url} is ready`)
    expect((await gesso(['keys', 'list'])).stdout).toContain('first key')
  } finally {
    server.kill('SIGTERM')
    await once(server, 'exit')
  }
  expect(existsSync(file)).toBe(false)
})

test('of two servers on one data directory and one database the first stays found until it stops itself', async () => {
  const settings = { dataDir, env: { DATABASE_URL: database.url } }
  const file = join(dataDir, 'server.json')
  // A killed server's number may belong to a stranger by now.
  writeFileSync(file, JSON.stringify({ url: 'http://127.0.0.1:1', pid: process.pid }))
  const first = await startGesso(settings)
  const named = () => JSON.parse(readFileSync(file, 'utf8'))
  expect(named()).toEqual({ url: first.url, pid: first.child.pid })
  const second = await startGesso(settings)
  expect(named()).toEqual({ url: first.url, pid: first.child.pid })
  expect(await second.end('SIGTERM')).toBe(0)
  expect(named()).toEqual({ url: first.url, pid: first.child.pid })
  await first.end('SIGKILL')
  const third = await startGesso(settings)
  expect(named()).toEqual({ url: third.url, pid: third.child.pid })
  expect(await third.end('SIGTERM')).toBe(0)
  expect(existsSync(file)).toBe(false)
})

// The server, a command that starts one for its call, and one that needs only the database.
test.each([
  ['serve', []],
  ['models', []],
  ['keys', ['list']],
])('Ctrl-C while %s starts PostgreSQL stops it again', async (command, rest) => {
  const own = join(folder, `own-${command}`)
  const postmaster = join(own, 'postgres/postmaster.pid')
  let killed = false
  const watch = (kill: (signal: NodeJS.Signals) => void) => {
    killed = existsSync(postmaster)
    if (killed) kill('SIGINT')
  }
  const running = runCli([command, ...rest], {
    cwd: folder,
    env: { GESSO_DATA_DIR: own },
    onStart(kill) {
      const timer = setInterval(() => {
        watch(kill)
        if (killed) clearInterval(timer)
      }, 10)
    },
  })
  const run = await running
  expect(killed).toBe(true)
  expect(run).toMatchObject({ code: command === 'serve' ? 0 : 130 })
  expect(existsSync(postmaster)).toBe(false)
})

test('a file that a killed server left behind misleads nobody', async () => {
  writeFileSync(join(dataDir, 'server.json'), JSON.stringify({ url: 'http://127.0.0.1:1', pid: process.pid }))
  const run = await gesso(['models', '--json'])
  expect(run).toMatchObject({ code: 0, stderr: '' })
  expect(JSON.parse(run.stdout).data[0]).toMatchObject({ id: 'gesso-collage' })
})

test('config check says what is on, or every problem at once with exit code 2', async () => {
  const good = await gesso(['config', 'check', '--json'], { OPENAI_API_KEY: 'sk-hunter2' })
  expect(good).toMatchObject({ code: 0, stderr: '' })
  expect(JSON.parse(good.stdout)).toMatchObject({ ok: true, data_dir: dataDir, database: 'external' })
  expect(JSON.parse(good.stdout).providers).toContainEqual({
    id: 'openai',
    on: true,
    variable: 'OPENAI_API_KEY',
  })
  expect(good.stdout).not.toContain('hunter2')
  const off = await gesso(['config', 'check'])
  expect(off.stdout).toMatch(/OpenAI: off, OPENAI_API_KEY turns it on/)

  const wrong = { GESSO_PORT: 'seventy', GESSO_SECRET: 'hunter2' }
  const problems = await gesso(['config', 'check', '--json'], wrong)
  expect(problems).toMatchObject({ code: 2, stdout: '' })
  const told = JSON.parse(problems.stderr)
  expect(told.error.code).toBe('invalid_configuration')
  expect(told.problems.map((problem: { source: string }) => problem.source).sort()).toEqual([
    'GESSO_PORT',
    'GESSO_SECRET',
  ])
  expect(problems.stderr).not.toContain('hunter2')
  const [lines, doctor] = await Promise.all([gesso(['config', 'check'], wrong), gesso(['doctor'], wrong)])
  expect(lines.stderr).toMatch(/^ {2}GESSO_PORT: server\.port: expected a whole number/m)
  expect(doctor).toMatchObject({ code: 1 })
  expect(doctor.stdout).toMatch(/^fail {2}configuration/m)
})

test('a database that cannot be used is told in a sentence, without a stack, by every command', async () => {
  const dropping = createServer((socket) => socket.once('data', () => socket.destroy()))
  await once(dropping.listen(0, '127.0.0.1'), 'listening')
  const { port } = dropping.address() as AddressInfo
  const wrongPassword = database.url.replace(/:[^:@]+@/, ':hunter2@')
  const cases = [
    [
      'postgres://nobody:hunter2@127.0.0.1:1/nothing',
      1,
      'The database cannot be reached: connect ECONNREFUSED',
    ],
    ['postgres://nobody:hunter2@gesso.invalid/nothing', 1, 'The database cannot be reached: getaddrinfo'],
    [
      `postgres://nobody:hunter2@127.0.0.1:${port}/x`,
      1,
      'The database cannot be reached: Connection terminated',
    ],
    [wrongPassword, 1, 'The database refuses the connection: password authentication failed'],
    [wrongPassword.replace(':hunter2', ''), 1, 'The database refuses the connection: SASL'],
    [
      'postgres://nobody:hunter2@127.0.0.1:99999/nothing',
      2,
      'DATABASE_URL: database.url: expected a PostgreSQL URL',
    ],
    [
      'postgres://nobody:hunter2/#@127.0.0.1/nothing',
      2,
      'DATABASE_URL: database.url: expected a PostgreSQL URL',
    ],
  ] as const
  for (const [index, [url, code, sentence]] of cases.entries()) {
    const env = { DATABASE_URL: url }
    // What one of them says all of them say: every reason is asked of one, and some of all.
    const further = index % 3 === 0 ? [['generate', 'x', '-o', 'never.png'], ['serve']] : []
    const [keys, ...others] = await Promise.all(
      [['keys', 'list', '--json'], ...further].map((command) => gesso(command, env)),
    )
    if (!keys) throw new Error('no command was run')
    expect(keys).toMatchObject({ code, stdout: '' })
    expect(JSON.parse(keys.stderr).error.message).toContain(sentence)
    for (const other of others) {
      expect(other).toMatchObject({ code, stdout: '' })
      expect(other.stderr).toContain(sentence)
    }
    const said = [keys, ...others].map((run) => run.stderr).join('\n')
    expect(said).not.toMatch(/hunter2|not expected|\n\s+at /)
  }
  dropping.close()
}, 60_000)
