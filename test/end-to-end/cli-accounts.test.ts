/** Accounts and keys from the command line, beside a running server: the verbs of the operator's API, and its errors. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorld, type World } from '../setup/world.ts'
import { type CliRun, runCli } from './run-cli.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely, as a client of a JSON API does.
type Json = any

let world: World
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gesso-cli-accounts-'))
  world = await openWorld()
})
afterAll(async () => {
  await world?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const gesso = (...args: string[]): Promise<CliRun> =>
  runCli(args, { cwd: folder, env: { GESSO_DATA_DIR: world.dataDir, DATABASE_URL: world.databaseUrl } })

const read = async (key: string) =>
  (await world.call('/v1/models', undefined, { authorization: `Bearer ${key}` })).status

/** With `--json`, stdout is empty and stderr is one error body. */
function refusalOf(run: CliRun): [code: number | null, error: string, param: string | null] {
  expect(run.stdout).toBe('')
  const { error } = JSON.parse(run.stderr)
  return [run.code, error.code, error.param]
}

test('accounts and keys are made, changed and rotated, and the audit log says cli', async () => {
  const made = await gesso(
    'accounts',
    'create',
    '--name',
    'From a shell',
    '--images-per-day',
    '5',
    '--free-images',
    '0',
  )
  expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^acct_[0-9a-f]{24}\n$/) })
  const id = made.stdout.trim()
  const [credited, key] = await Promise.all([
    gesso('accounts', 'credit', 'From a shell', '10.000001', '--reference', 'r1'),
    gesso(
      'keys',
      'create',
      '--name',
      'shell',
      '--account',
      id,
      '--spend-per-day',
      '2.5',
      '--models',
      'gesso-collage',
      '--json',
    ),
  ])
  expect(credited).toMatchObject({ code: 0, stdout: '10.000001\n' })
  const { key: secret, ...shown } = JSON.parse(key.stdout)
  expect(shown).toMatchObject({ account_id: id, spend_per_day_micros: 2_500_000, models: ['gesso-collage'] })
  expect(await read(secret)).toBe(200)
  const [again, updated, rotated, absent, changed, listed] = await Promise.all([
    gesso('accounts', 'credit', id, '11', '--reference', 'r1', '--json'),
    gesso('accounts', 'update', id, '--images-per-day', 'none', '--json'),
    gesso('keys', 'rotate', shown.id, '--overlap', 'none'),
    gesso('keys', 'update', 'key_000000000000000000000000', '--disable', '--json'),
    gesso('accounts', 'update', 'nobody', '--disable', '--json'),
    gesso('accounts', 'list'),
  ])
  expect(updated).toMatchObject({ code: 0, stderr: '' })
  expect([again.code, JSON.parse(again.stderr).error.code]).toEqual([5, 'reference_reused'])
  expect(JSON.parse(updated.stdout)).toMatchObject({ balance_micros: 10_000_001, images_per_day: null })
  expect(rotated).toMatchObject({ code: 0, stdout: expect.stringMatching(/^gs_[0-9A-Za-z]{40}\n$/) })
  expect([absent.code, JSON.parse(absent.stderr).error.code]).toEqual([4, 'key_not_found'])
  expect([changed.code, JSON.parse(changed.stderr).error.code]).toEqual([4, 'account_not_found'])
  expect(listed.stdout).toMatch(new RegExp(`${id}\\s+From a shell\\s+metered\\s+10\\.000001`))
  expect(await read(rotated.stdout.trim())).toBe(200)
  await expect.poll(() => read(secret), { interval: 100 }).toBe(401)
  const json = (await (await world.call(`/admin/v1/audit?account_id=${id}`)).json()) as Json
  expect(new Set(json.data.map(({ actor }: Json) => actor))).toEqual(new Set(['cli']))
}, 60_000)

test('keys create --default: the key fills in what its caller leaves out, digits as text; nonsense makes no key', async () => {
  const make = (...pairs: string[]) =>
    gesso('keys', 'create', '--name', 'app', ...pairs.flatMap((pair) => ['--default', pair]), '--json')
  const [made, wrong] = await Promise.all([
    make('model=gesso-collage', 'size=64x64', 'bucket=007'),
    make('quality=foo'),
  ])
  expect(made.code, made.stderr).toBe(0)
  const { key, defaults } = JSON.parse(made.stdout)
  expect(defaults).toEqual({ model: 'gesso-collage', size: '64x64', bucket: '007' })
  const headers = { authorization: `Bearer ${key}` }
  const answer = await world.call('/v1/images/generations', { prompt: 'a fox' }, headers)
  expect(await answer.json()).toMatchObject(defaults)
  expect(refusalOf(wrong)).toEqual([2, 'usage', '--default'])
})

/** With the operator's key. */
const admin = async (path: string, body?: object): Promise<Json> =>
  (await world.call(`/admin/v1${path}`, body)).json()

test('money is read exactly or not at all, and a reference is credited once', async () => {
  const made = []
  for (const name of ['Twin', 'Twin', 'Single']) made.push(await admin('/accounts', { name }))
  const credit = (account: string, usd: string, ...more: string[]) =>
    gesso('accounts', 'credit', account, usd, ...more, '--json')
  const [negative, ambiguous, one, other] = await Promise.all([
    credit('Single', '-5'),
    credit('Twin', '1'),
    credit('Single', '0.000001', '--reference', 'inv-1'),
    credit('Single', '0.000001', '--reference', 'inv-1'),
  ])
  expect(refusalOf(negative).slice(0, 2)).toEqual([2, 'usage'])
  expect(refusalOf(ambiguous)).toEqual([5, 'invalid_image_request', 'account'])
  for (const { id } of made.slice(0, 2)) expect(ambiguous.stderr).toContain(id)
  const results = [one, other].map(({ stdout }) => JSON.parse(stdout))
  expect(results.map(({ repeated }) => repeated).sort()).toEqual([false, true])
  expect(results.map(({ balance_micros }) => balance_micros)).toEqual([1, 1])
})

test('a key that fills in a model must be able to use it', async () => {
  const { id } = await admin('/keys', { name: 'x', defaults: { model: 'gesso-collage' } })
  const [made, changed] = await Promise.all([
    gesso('keys', 'create', '--name', 'x', '--default', 'model=no-such-model', '--json'),
    gesso('keys', 'update', id, '--models', 'gpt-image-2', '--json'),
  ])
  expect(refusalOf(made)).toEqual([4, 'model_not_found', 'model'])
  expect(refusalOf(changed)).toEqual([5, 'invalid_image_request', 'defaults.model'])
})

test('a rotated first key is in admin.key, and a stale one there is told by the doctor', async () => {
  const file = join(world.dataDir, 'admin.key')
  const { data } = await admin('/keys?limit=1000')
  const first = data.find(({ origin }: Json) => origin === 'first')
  const rotated = await gesso('keys', 'rotate', first.id, '--overlap', 'none', '--json')
  const { key } = JSON.parse(rotated.stdout)
  expect(readFileSync(file, 'utf8')).toBe(`${key}\n`)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(await read(key)).toBe(200)
  writeFileSync(file, `${world.key}\n`)
  const [list, doctor] = await Promise.all([gesso('keys', 'list'), gesso('doctor')])
  expect(list.stdout).toMatch(new RegExp(`active +${first.id}$`, 'm'))
  expect(doctor.stdout).toMatch(/^warn {2}admin key .* is expired .*Z; `gesso keys create/m)
})
