/** The command line beside a running server: every exit code provoked for real, and what lands where. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { sniffFormat } from '../../src/media/image-format.ts'
import { openWorld, type World } from '../setup/world.ts'
import { fakePicture } from '../upstreams/fake-picture.ts'
import { type FakeUpstream, fakeOpenAiKey, startFakeOpenAi } from '../upstreams/openai.ts'
import { type CliOptions, type CliRun, runCli } from './run-cli.ts'

let world: World
let openai: FakeUpstream
let folder: string
beforeAll(async () => {
  openai = await startFakeOpenAi()
  world = await openWorld({ OPENAI_API_KEY: fakeOpenAiKey, OPENAI_BASE_URL: openai.url })
})
afterAll(async () => {
  // First, so that a call it never answers does not hold the server up.
  await openai?.close()
  await world?.[Symbol.asyncDispose]()
})
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gesso-cli-'))
  return () => rmSync(folder, { recursive: true, force: true })
})

/** Runs a command against the world's server, which is named by its URL. */
function gesso(args: readonly string[], options: Partial<CliOptions> = {}): Promise<CliRun> {
  const env = {
    GESSO_DATA_DIR: world.dataDir,
    DATABASE_URL: world.databaseUrl,
    GESSO_URL: world.url,
    ...options.env,
  }
  return runCli(args, { cwd: folder, ...options, env })
}

/** Something that listens and is no Gesso. */
async function listenAnywhere(): Promise<AsyncDisposable & { url: string }> {
  const server = createServer((_request, response) => response.end('<html>It works!</html>'))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      await once(server.close(), 'close')
    },
  }
}

const small = ['--size', '64x64']

/** With `--json`, stdout is empty and stderr is one error body. */
function errorOf(run: CliRun): Record<string, unknown> {
  expect(run.stdout).toBe('')
  const { error } = JSON.parse(run.stderr)
  expect(Object.keys(error).sort()).toEqual(['code', 'message', 'param', 'type'])
  return error
}

test('0: a picture is written, its path is the last line of stdout, and the talk is on stderr', async () => {
  const run = await gesso(['generate', 'a red boat', ...small])
  expect(run).toMatchObject({ code: 0 })
  const path = run.stdout.trimEnd()
  expect(path).toMatch(/^\.\/a-red-boat-[0-9a-f]{8}\.png$/)
  expect(sniffFormat(readFileSync(join(folder, path)))).toBe('png')
  expect(readdirSync(folder)).toHaveLength(1)
  expect(run.stderr).toContain('Using gesso-collage')
  expect(run.stderr).toMatch(/gesso-collage · 64x64 · \d+\.\d s · not charged · image_[0-9a-f]{24}\n$/)
  expect(run.stderr).not.toContain('\u001b')
})

test('2: what cannot be understood is usage, with a suggestion', async () => {
  const [typo, missing, number] = await Promise.all([
    gesso(['modles']),
    gesso(['generate', '--json']),
    gesso(['generate', 'x', '--n', 'two', '--json']),
  ])
  expect(typo).toMatchObject({ code: 2, stdout: '' })
  expect(typo.stderr).toContain('Did you mean models?')
  expect(missing.code).toBe(2)
  expect(errorOf(missing)).toMatchObject({ code: 'usage', type: 'invalid_request_error' })
  expect(number.code).toBe(2)
  expect(errorOf(number).message).toMatch(/--n <count>.*two.*whole number/)
})

test('3: a key that nobody has', async () => {
  const run = await gesso(['models', '--json'], { env: { GESSO_API_KEY: 'gs_wrong' } })
  expect(run.code).toBe(3)
  expect(errorOf(run)).toMatchObject({ type: 'authentication_error', code: 'invalid_api_key' })
  expect(JSON.parse(run.stderr).request_id).toMatch(/^req_/)
  const talk = await gesso(['models'], { env: { GESSO_API_KEY: 'gs_wrong' } })
  expect(talk.stderr).toContain('The key came from GESSO_API_KEY')
})

test('3: the admin key of this install is not sent to a server elsewhere', async () => {
  const run = await gesso(['models', '--url', 'http://gesso.invalid', '--json'])
  expect(run.code).toBe(3)
  expect(errorOf(run)).toMatchObject({ code: 'missing_api_key' })
})

test('4: a model and a task that there are not', async () => {
  const [model, task] = await Promise.all([
    gesso(['generate', 'x', '-m', 'no-such-model', '--json']),
    gesso(['tasks', 'get', 'image_000000000000000000000000', '--json']),
  ])
  expect(model.code).toBe(4)
  expect(errorOf(model)).toMatchObject({ code: 'model_not_found', param: 'model' })
  expect(task.code).toBe(4)
  expect(errorOf(task)).toMatchObject({ code: 'task_not_found' })
})

test('5: refused by validation, and by moderation', async () => {
  const invalid = await gesso(['generate', 'x', '--size', '64X64', '--json'])
  expect(invalid.code).toBe(5)
  expect(errorOf(invalid)).toMatchObject({ code: 'invalid_image_request', param: 'size' })
  await openai.play('moderation', 1)
  const blocked = await gesso(['generate', 'x', '-m', 'gpt-image-2', '--json'])
  expect(blocked.code).toBe(5)
  expect(errorOf(blocked)).toMatchObject({ code: 'moderation_blocked' })
  expect(readdirSync(folder)).toEqual([])
})

test('6: a key that is past its limit; and a key works from its creation to its revocation, then it is 3', async () => {
  const made = await gesso(['keys', 'create', '--name', 'ci', '--rpm', '1', '--expires-in', '30d'])
  expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^gs_[0-9A-Za-z]{40}\n$/) })
  const env = { GESSO_API_KEY: made.stdout.trim() }
  expect(await gesso(['generate', 'x', ...small], { env })).toMatchObject({ code: 0 })

  const limited = await gesso(['generate', 'x', ...small, '--json'], { env })
  expect(limited.code).toBe(6)
  expect(errorOf(limited)).toMatchObject({ type: 'rate_limit_error' })

  const id = /key_[0-9a-f]{24}/.exec(made.stderr)?.[0] ?? ''
  const unasked = await gesso(['keys', 'revoke', id, '--json'])
  expect(unasked.code).toBe(2)
  expect(errorOf(unasked)).toMatchObject({ param: '--yes' })
  expect(await gesso(['keys', 'revoke', id, '--yes'])).toMatchObject({ code: 0 })
  // A server believes what it knows of a key for at most a second.
  await expect.poll(async () => (await gesso(['models'], { env })).code, { timeout: 15_000 }).toBe(3)

  const list = JSON.parse((await gesso(['keys', 'list', '--json'])).stdout)
  expect(list.data.find((key: { id: string }) => key.id === id)).toMatchObject({
    name: 'ci',
    requests_per_minute: 1,
  })
  expect(JSON.stringify(list)).not.toContain(made.stdout.trim())
})

test('4 and 5: a key that there is not, and the last admin key, are not revoked', async () => {
  const absent = await gesso(['keys', 'revoke', 'key_000000000000000000000000', '--yes', '--json'])
  expect(absent.code).toBe(4)
  expect(errorOf(absent)).toMatchObject({ code: 'key_not_found' })
  const { data } = JSON.parse((await gesso(['keys', 'list', '--json'])).stdout)
  const admin = data.find((key: { scopes: string[] }) => key.scopes.includes('admin'))
  const last = await gesso(['keys', 'revoke', admin.id, '--yes', '--json'])
  expect(last.code).toBe(5)
  expect(errorOf(last)).toMatchObject({ code: 'last_admin_key' })
  expect((await world.call('/v1/models')).status).toBe(200)
})

test('7: the provider fails', async () => {
  await openai.play('500')
  const run = await gesso(['generate', 'x', '-m', 'gpt-image-2', '--json'])
  await openai.play('ok')
  expect(run.code).toBe(7)
  expect(errorOf(run)).toMatchObject({ type: 'upstream_error' })
})

test('8: nobody answers at the address that was named, or something that is no Gesso', async () => {
  await using elsewhere = await listenAnywhere()
  const [nobody, other] = await Promise.all([
    gesso(['models', '--json', '--url', 'http://127.0.0.1:1']),
    gesso(['tasks', 'get', 'image_1', '--json', '--url', elsewhere.url]),
  ])
  expect(nobody.code).toBe(8)
  expect(errorOf(nobody)).toMatchObject({ code: 'server_unreachable' })
  expect(other.code).toBe(8)
  expect(errorOf(other).message).toContain('no Gesso server')
})

test('130: Ctrl-C leaves at once and says that the server goes on', async () => {
  await openai.play('silent', 1)
  let at = 0
  const run = await gesso(['generate', 'x', '-m', 'gpt-image-2'], {
    onStderr(text, kill) {
      if (!text.includes('Drawing with')) return
      setTimeout(() => {
        at = performance.now()
        kill('SIGINT')
      }, 300)
    },
  })
  expect(run).toMatchObject({ code: 130, stdout: '' })
  expect(performance.now() - at).toBeLessThan(8_000)
  expect(run.stderr).toContain(`The server at ${world.url} goes on with the picture`)
})

test('--json: stdout is one object with the paths, stderr is empty, and no picture is inside', async () => {
  const run = await gesso([
    'generate',
    'two boats',
    ...small,
    '--n',
    '2',
    '--seed',
    '7',
    '-o',
    'pictures/',
    '--json',
  ])
  expect(run).toMatchObject({ code: 0, stderr: '' })
  const answer = JSON.parse(run.stdout)
  const paths = answer.data.map((entry: { path: string }) => entry.path)
  const id = answer.id.slice(-8)
  expect(paths).toEqual([`pictures/two-boats-${id}.png`, `pictures/two-boats-${id}-2.png`])
  for (const path of paths) expect(sniffFormat(readFileSync(join(folder, path)))).toBe('png')
  expect(answer).toMatchObject({ model: 'gesso-collage', size: '64x64', cost: { source: 'unmetered' } })
  expect(answer.data.map((entry: { seed: number }) => entry.seed)).toEqual([7, 8])
  expect(run.stdout).not.toContain('b64_json')

  const task = await gesso(['tasks', 'get', answer.id, '--json'])
  expect(JSON.parse(task.stdout)).toMatchObject({ id: answer.id, status: 'SUCCEEDED', prompt: 'two boats' })
  const models = JSON.parse((await gesso(['models', '--json'])).stdout)
  expect(models).toMatchObject({ object: 'list' })
})

test('-o - writes the bytes and nothing else; what cannot be meant is refused', async () => {
  const run = await gesso(['generate', '-', ...small, '-o', '-'], { input: 'a red boat\n' })
  expect(run.code).toBe(0)
  expect(sniffFormat(run.stdoutBytes)).toBe('png')
  expect(run.stdoutBytes.subarray(-8).toString('latin1')).toContain('IEND')
  const [many, json, empty] = await Promise.all([
    gesso(['generate', 'x', '-o', '-', '--n', '2']),
    gesso(['generate', 'x', '-o', '-', '--json']),
    gesso(['generate', '-']),
  ])
  expect([many.code, json.code, empty.code]).toEqual([2, 2, 2])
})

test('a file is overwritten with --force only, and the refusal costs nothing', async () => {
  const file = join(folder, 'boat.webp')
  writeFileSync(file, 'mine')
  const submissions = openai.submissions()
  const refused = await gesso(['generate', 'x', '-m', 'gpt-image-2', '-o', 'boat.webp', '--json'])
  expect(refused.code).toBe(2)
  expect(errorOf(refused).message).toContain('--force')
  expect(readFileSync(file, 'utf8')).toBe('mine')

  const nowhere = await gesso(['generate', 'x', '-m', 'gpt-image-2', '-o', 'no/such/folder/x.png'])
  expect(nowhere.code).toBe(2)
  expect(openai.submissions()).toBe(submissions)

  expect(await gesso(['generate', 'x', ...small, '-o', 'boat.webp', '--force'])).toMatchObject({
    code: 0,
    stdout: 'boat.webp\n',
  })
  expect(sniffFormat(readFileSync(file))).toBe('webp')
  expect(readdirSync(folder)).toEqual(['boat.webp'])
})

test('a prompt cannot write elsewhere, nor into the terminal', async () => {
  const prompt = '../../etc/\u001b]0;owned\u0007passwd \u009b31m🦊'
  const run = await gesso(['generate', prompt, ...small])
  expect(run.code).toBe(0)
  expect(run.stdout.trimEnd()).toMatch(/^\.\/etc-[a-z0-9-]+-[0-9a-f]{8}\.png$/)
  const id = /image_[0-9a-f]{24}/.exec(run.stderr)?.[0] ?? ''
  const shown = await gesso(['tasks', 'get', id])
  const json = await gesso(['tasks', 'get', id, '--json'])
  for (const text of [shown.stdout, json.stdout, run.stderr]) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is what is tested.
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
  }
  expect(JSON.parse(json.stdout).prompt).toBe(prompt)
})

test('--quiet says nothing but the path; --preview draws on stderr and leaves stdout clean', async () => {
  const quiet = await gesso(['generate', 'a red boat', ...small, '--quiet', '--preview', 'blocks'])
  expect(quiet).toMatchObject({ code: 0, stderr: '' })
  const drawn = await gesso(['generate', 'a red boat', ...small, '--preview', 'blocks'])
  expect(drawn.stderr).toContain('▀')
  expect(drawn.stdout).toMatch(/^\.\/a-red-boat-[0-9a-f]{8}\.png\n$/)
})

const canMakeTerminal = existsSync('/usr/bin/script') && process.platform === 'linux'
test.runIf(canMakeTerminal)('on a terminal, -o - is refused', async () => {
  const command = `"${process.execPath}" bin/gesso.js generate x -o -`
  const run = spawnSync('/usr/bin/script', ['-qec', command, '/dev/null'], {
    env: { ...process.env, GESSO_URL: world.url, NO_COLOR: '1', GESSO_DATA_DIR: world.dataDir },
  })
  expect(run.status).toBe(2)
  expect(run.stdout.toString()).toContain('a terminal cannot show')
  expect(run.stdout.toString()).not.toContain('\u001b[')
})

test('doctor beside a running server passes without changing anything, and fails on what others may read', async () => {
  const healthy = await gesso(['doctor', '--json'], { env: { OPENAI_API_KEY: fakeOpenAiKey } })
  expect(healthy).toMatchObject({ code: 0, stderr: '' })
  const { ok, checks } = JSON.parse(healthy.stdout)
  expect(ok).toBe(true)
  expect(checks.find((check: { name: string }) => check.name === 'providers')).toMatchObject({
    status: 'pass',
  })
  expect(healthy.stdout).not.toContain(fakeOpenAiKey)

  const key = join(world.dataDir, 'admin.key')
  chmodSync(key, 0o644)
  const open = await gesso(['doctor'])
  chmodSync(key, 0o600)
  expect(open.code).toBe(1)
  expect(open.stdout).toContain(`chmod 600 ${key}`)
  expect(statSync(key).mode & 0o777).toBe(0o600)
})

test('--image edits a file, a picture of this account by its id, and says what it cannot read', async () => {
  const photo = join(folder, 'photo.png')
  writeFileSync(photo, await fakePicture({ width: 96, height: 64, format: 'png', index: 1 }))
  const edited = await gesso(['generate', 'make it night', '--image', photo, '-o', 'night.png', '--json'])
  expect(edited.stderr).toBe('')
  expect(edited.code).toBe(0)
  expect(JSON.parse(edited.stdout)).toMatchObject({ size: '96x64', model: 'gesso-collage' })
  const [{ image_id: imageId }] = JSON.parse(edited.stdout).data
  const both = ['--image', imageId, '--image', photo, '--watermark', '--bucket', 'My Edits']
  const again = await gesso(['generate', 'make it snowy', ...both, '-o', 'snow.webp', '--json'])
  expect(again.code, again.stderr).toBe(0)
  expect(JSON.parse(again.stdout)).toMatchObject({ bucket: 'my-edits', output_format: 'webp' })

  const missing = await gesso(['generate', 'x', '--image', 'nowhere.png'])
  expect(missing.code).toBe(2)
  expect(missing.stderr).toContain('--image nowhere.png cannot be read')
  const alone = await gesso(['generate', 'x', '--mask', photo])
  expect(alone.code).toBe(2)
  expect(alone.stderr).toContain('--mask needs the picture')
})

test('--image: a file and an address keep their order, and a data URI may be long', async () => {
  const [wide, tall] = await Promise.all(
    [
      { width: 200, height: 120 },
      { width: 120, height: 200 },
    ].map((size, index) => fakePicture({ ...size, format: 'png', index })),
  )
  if (!wide || !tall) throw new Error('no pictures')
  const long = Buffer.concat([tall, Buffer.alloc(30_000)])
  writeFileSync(join(folder, 'wide.png'), wide)
  const uri = `data:image/png;base64,${long.toString('base64')}`
  for (const [images, size] of [
    [['wide.png', uri], '200x120'],
    [[uri, 'wide.png'], '120x200'],
  ] as const) {
    const options = images.flatMap((image) => ['--image', image])
    const run = await gesso(['generate', 'make it night', ...options, '-o', `${size}.png`, '--json'])
    expect(run.code, run.stderr).toBe(0)
    // The built-in illustrator keeps the size of the first picture.
    expect(JSON.parse(run.stdout).size).toBe(size)
  }
})
