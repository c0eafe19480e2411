import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isRunning } from '../../src/db/embedded/postmaster.ts'
import { endLeftovers, ordinaryUser, startGesso } from '../setup/gesso-process.ts'
import { copyPreparedDataDir } from '../setup/prepared-data-dir.ts'
import { fakeOpenAiKey, startFakeOpenAi } from '../upstreams/openai.ts'
import { runCli } from './run-cli.ts'

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'gesso-start-'))
})
afterEach(async () => {
  await endLeftovers()
  rmSync(dataDir, { recursive: true, force: true })
})

function postmasterPid(): number {
  return Number(readFileSync(join(dataDir, 'postgres/postmaster.pid'), 'utf8').split('\n')[0])
}

/** The words that a shell makes of a line; `curl` itself need not be on the machine. */
function shellWords(line: string): string[] {
  const printed = execFileSync('bash', ['-c', `curl() { printf '%s\\0' "$@"; }; ${line}`], {
    encoding: 'utf8',
  })
  return printed.split('\0').slice(0, -1)
}

test('the curl line of the banner makes a picture, and its link opens without a header', async () => {
  const gesso = await startGesso({ dataDir })
  try {
    const line =
      gesso
        .stdout()
        .split('\n')
        .find((one) => one.includes('curl ')) ?? ''
    const [url = '', ...flags] = shellWords(line)
    const headers = flags.flatMap((word, at) =>
      flags[at - 1] === '-H' ? [word.split(': ') as [string, string]] : [],
    )
    const response = await fetch(url, { method: 'POST', headers, body: flags[flags.indexOf('-d') + 1] })
    const answer = (await response.json()) as { size: string; data: [{ url: string }] }
    expect(response.status, JSON.stringify(answer)).toBe(200)
    const picture = await fetch(answer.data[0].url)
    await picture.arrayBuffer()
    expect([picture.status, picture.headers.get('content-type'), answer.size]).toEqual([
      200,
      'image/png',
      '1024x1024',
    ])
  } finally {
    expect(await gesso.end('SIGTERM')).toBe(0)
  }
})

test('an ordinary user starts it, makes a picture and stops it', async ({ skip }) => {
  const uid = ordinaryUser()
  if (uid === undefined) return skip('this run is an ordinary user, so every test is that test')
  if (uid === null) return skip('no ordinary user can reach this checkout; move it out of /root')
  chownSync(dataDir, uid, uid)
  const gesso = await startGesso({ dataDir, uid })
  const response = await fetch(`${gesso.url}/v1/images/generations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gesso.key}`, 'content-type': 'application/json' },
    body: '{"model":"gesso-collage","prompt":"x","size":"64x64"}',
  })
  const answer = (await response.json()) as { data: [{ url: string }] }
  expect(response.status, JSON.stringify(answer)).toBe(200)
  const picture = await fetch(answer.data[0].url)
  await picture.arrayBuffer()
  expect(picture.status).toBe(200)
  expect(await gesso.end('SIGTERM')).toBe(0)
  const files = readdirSync(dataDir, { recursive: true, encoding: 'utf8' })
  expect(files.filter((file) => statSync(join(dataDir, file)).uid !== uid)).toEqual([])
  expect(existsSync(join(dataDir, 'postgres/postmaster.pid'))).toBe(false)
})

test('a data directory that cannot be used is told before anything starts, with exit code 2', async ({
  skip,
}) => {
  const file = join(dataDir, 'file')
  writeFileSync(file, '')
  for (const bad of [file, join(file, 'data')]) {
    for (const command of [['serve'], ['models'], ['keys', 'list']]) {
      const run = await runCli(command, { cwd: dataDir, env: { GESSO_DATA_DIR: bad } })
      expect(run, command.join(' ')).toMatchObject({ code: 2, stdout: '' })
      expect(run.stderr).toContain(`GESSO_DATA_DIR: data_dir: expected a folder that Gesso can make`)
      expect(run.stderr).toContain(bad)
      expect(run.stderr).not.toMatch(/\n\s+at /)
    }
  }
  const uid = ordinaryUser()
  if (uid === null) return skip('no ordinary user can reach this checkout; move it out of /root')
  const readOnly = join(dataDir, 'read-only')
  mkdirSync(readOnly)
  if (uid !== undefined) chownSync(readOnly, uid, uid)
  chmodSync(readOnly, 0o500)
  chmodSync(dataDir, 0o711)
  // With a database elsewhere nothing else would touch the directory before the first picture.
  const env = { DATABASE_URL: 'postgres://127.0.0.1:1/nothing' }
  await expect(startGesso({ dataDir: readOnly, env, uid })).rejects.toThrow(
    /exit 2[\s\S]*expected a folder that Gesso can make, write[\s\S]*read-only \(EACCES/,
  )
})

test('the key is shown at the first start only, and stays the same', async () => {
  copyPreparedDataDir(dataDir)
  const first = await startGesso({ dataDir })
  expect(first.stdout()).toContain(first.key)
  expect(await first.end('SIGINT')).toBe(0)
  const second = await startGesso({ dataDir })
  expect(second.key).toBe(first.key)
  expect(second.stdout()).not.toContain(second.key)
  expect(await second.end('SIGTERM')).toBe(0)
})

test('nobody else can read anything in the data directory, even with an open umask', async () => {
  const before = process.umask(0)
  try {
    const gesso = await startGesso({ dataDir: join(dataDir, 'inner') })
    await fetch(`${gesso.url}/v1/images/generations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${gesso.key}`, 'content-type': 'application/json' },
      body: '{"model":"gesso-collage","prompt":"x","size":"64x64"}',
    })
    const inner = join(dataDir, 'inner')
    expect(statSync(inner).mode & 0o777).toBe(0o700)
    const open = readdirSync(inner, { recursive: true, encoding: 'utf8' })
      .filter((file) => !file.startsWith('postgres/'))
      .filter((file) => existsSync(join(inner, file)) && (statSync(join(inner, file)).mode & 0o077) !== 0)
    expect(open).toEqual([])
    await gesso.end('SIGTERM')
  } finally {
    process.umask(before)
  }
})

test('a second Gesso on the same data directory is refused in a sentence, and the first goes on', async () => {
  copyPreparedDataDir(dataDir)
  const first = await startGesso({ dataDir })
  await expect(startGesso({ dataDir })).rejects.toThrow(
    /exit 1[\s\S]*Another Gesso already uses the data directory[\s\S]*GESSO_DATA_DIR/,
  )
  expect((await fetch(`${first.url}/readyz`)).status).toBe(200)
  expect(await first.end('SIGTERM')).toBe(0)
})

test('a bad configuration starts nothing and says everything', async () => {
  await expect(startGesso({ dataDir, env: { GESSO_PORT: 'abc', GESSO_URL_TTL: '0' } })).rejects.toThrow(
    /exit 2[\s\S]*2 problems[\s\S]*GESSO_PORT[\s\S]*GESSO_URL_TTL/,
  )
  expect(readdirSync(dataDir)).toEqual([])
})

test('a port that is taken is told in a sentence', async () => {
  copyPreparedDataDir(dataDir)
  const other = join(dataDir, 'other')
  copyPreparedDataDir(other)
  const first = await startGesso({ dataDir })
  const port = new URL(first.url).port
  await expect(startGesso({ dataDir: other, env: { GESSO_PORT: port } })).rejects.toThrow(
    new RegExp(`127\\.0\\.0\\.1:${port} is in use[\\s\\S]*GESSO_PORT`),
  )
  await first.end('SIGTERM')
})

test('PostgreSQL that is killed is started again, and Gesso is ready within seconds', async () => {
  copyPreparedDataDir(dataDir)
  const gesso = await startGesso({ dataDir })
  process.kill(postmasterPid(), 'SIGKILL')
  // About half a second on an idle machine. Readiness alone cannot tell: what it says may be a second old.
  await expect.poll(() => gesso.stderr(), { timeout: 15_000 }).toContain('was started again')
  const isReady = async () => (await fetch(`${gesso.url}/readyz`)).status
  await expect.poll(isReady, { timeout: 15_000 }).toBe(200)
  const made = await fetch(`${gesso.url}/v1/images/generations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gesso.key}`, 'content-type': 'application/json' },
    body: '{"model":"gesso-collage","prompt":"x","size":"64x64"}',
  })
  expect(made.status, await made.text()).toBe(200)
  expect(await gesso.end('SIGTERM')).toBe(0)
  expect(existsSync(join(dataDir, 'postgres/postmaster.pid'))).toBe(false)
})

test('a closed terminal stops Gesso and its PostgreSQL in order', async () => {
  copyPreparedDataDir(dataDir)
  const gesso = await startGesso({ dataDir })
  expect(await gesso.end('SIGHUP')).toBe(0)
  expect(existsSync(join(dataDir, 'postgres/postmaster.pid'))).toBe(false)
})

const canMakeTerminal = existsSync('/usr/bin/script') && process.platform === 'linux'
test.runIf(canMakeTerminal)(
  'so does a terminal that is really gone, and can be written no more',
  async () => {
    copyPreparedDataDir(dataDir)
    const program = join(import.meta.dirname, '../../bin/gesso.js')
    const terminal = spawn(
      '/usr/bin/script',
      ['-qec', `"${process.execPath}" "${program}" serve`, '/dev/null'],
      {
        env: { PATH: process.env.PATH, GESSO_DATA_DIR: dataDir, GESSO_PORT: '0' },
        stdio: ['pipe', 'pipe', 'ignore'],
      },
    )
    const file = join(dataDir, 'server.json')
    await expect.poll(() => existsSync(file), { timeout: 15_000 }).toBe(true)
    const { pid } = JSON.parse(readFileSync(file, 'utf8')) as { pid: number }
    terminal.kill('SIGKILL')
    await once(terminal, 'exit')
    await expect.poll(() => isRunning(pid), { timeout: 10_000 }).toBe(false)
    expect(existsSync(file)).toBe(false)
    expect(existsSync(join(dataDir, 'postgres/postmaster.pid'))).toBe(false)
  },
)

test('a stop under load cuts no answer, stops PostgreSQL, and leaves nothing running', async () => {
  copyPreparedDataDir(dataDir)
  await using upstream = await startFakeOpenAi({ latencyMs: 1_000 })
  const gesso = await startGesso({
    dataDir,
    env: { OPENAI_API_KEY: fakeOpenAiKey, OPENAI_BASE_URL: upstream.url },
  })
  const calls = Array.from({ length: 12 }, async () => {
    const response = await fetch(`${gesso.url}/v1/images/generations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${gesso.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'gpt-image-2',
        prompt: 'x',
        size: '1024x1024',
        response_format: 'b64_json',
      }),
    })
    return [response.status, ((await response.json()) as { data?: unknown[] }).data?.length]
  })
  await expect.poll(() => upstream.submissions(), { timeout: 15_000 }).toBe(12)
  const ending = gesso.end('SIGTERM')
  expect(await Promise.all(calls)).toEqual(Array.from({ length: 12 }, () => [200, 1]))
  expect(await ending).toBe(0)
  expect(existsSync(join(dataDir, 'postgres/postmaster.pid'))).toBe(false)
})

// An empty variable is none: the default level.
test.each(['', 'debug'])('keys, prompts and base64 never appear in the log at level "%s"', async (level) => {
  copyPreparedDataDir(dataDir)
  await using upstream = await startFakeOpenAi({ echo: true })
  const gesso = await startGesso({
    dataDir,
    env: { GESSO_LOG_LEVEL: level, OPENAI_API_KEY: fakeOpenAiKey, OPENAI_BASE_URL: upstream.url },
  })
  const call = (body: string, key = gesso.key) =>
    fetch(`${gesso.url}/v1/images/generations?api_key=${gesso.key}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body,
    })
  const prompt = 'zebracadabra'
  for (const scenario of ['ok', 'moderation', '401', '500', 'garbage', 'truncated', 'empty'] as const) {
    await upstream.play(scenario)
    await call(
      JSON.stringify({ model: 'gpt-image-2', prompt, size: '1024x1024', response_format: 'b64_json' }),
    )
  }
  await call(JSON.stringify({ model: 'gesso-collage', prompt, n: 99 }))
  await call(`{"prompt":"${prompt}`)
  await call('{}', 'gs_wrongkey')
  const answer = (await (
    await call(JSON.stringify({ model: 'gesso-collage', prompt, size: '64x64' }))
  ).json()) as { data: { url: string }[] }
  const { url } = answer.data[0] ?? { url: '' }
  await fetch(url)
  await gesso.end('SIGTERM')
  const log = gesso.stderr()
  expect(log.split('\n').length).toBeGreaterThan(10)
  const signature = new URL(url).searchParams.get('sig') ?? ''
  for (const secret of [
    gesso.key,
    gesso.key.slice(3, 20),
    fakeOpenAiKey,
    prompt,
    'iVBOR',
    'wrongkey',
    signature,
  ]) {
    expect(log, secret).not.toContain(secret)
  }
})
