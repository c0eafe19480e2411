import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type OpenDatabase, openDatabase } from '../../src/db/open-database.ts'
import { type DrawingWorld, type Json, openDrawingWorld } from './drawing-world.ts'
import { runCli } from './run-cli.ts'

let world: DrawingWorld
let database: OpenDatabase
/** A metered account with its key. */
let accountId: string
let key: string

const price = 40_000

beforeAll(async () => {
  world = await openDrawingWorld(`
prices:
  models:
    gesso-collage: { items: [{ per: image, usd: 0.04 }] }
`)
  database = openDatabase({ connectionString: world.databaseUrl }, { poolSize: 1 })
  const account = await admin('/accounts', { name: '=cmd()', billing: 'metered', free_images: 0 })
  accountId = account.body.id
  const made = await admin('/keys', {
    account_id: accountId,
    name: '@bot, "the first"',
    scopes: ['images:write', 'images:read'],
  })
  key = made.body.key
})
afterAll(async () => {
  await database?.[Symbol.asyncDispose]()
  await world?.[Symbol.asyncDispose]()
})

interface Answered {
  status: number
  headers: Headers
  text: string
  body: Json
}

async function read(response: Response): Promise<Answered> {
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json')
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text) : undefined,
  }
}

/** With the operator's key. */
const admin = async (path: string, body?: object, headers: Record<string, string> = {}) =>
  read(await world.call(`/admin/v1${path}`, body, headers))
/** With the account's key. */
const call = async (path: string, body?: object, headers: Record<string, string> = {}) =>
  read(await world.call(path, body, { authorization: `Bearer ${key}`, ...headers }))
const credit = (body: object, headers: Record<string, string> = {}) =>
  admin(`/accounts/${accountId}/credits`, body, headers)
const adjust = (body: object, headers: Record<string, string> = {}) =>
  admin(`/accounts/${accountId}/adjustments`, body, headers)
const balance = async () => (await call('/v1/billing/balance')).body
const today = () => new Date().toISOString().slice(0, 10)

/** The cells of a CSV file without quoted line breaks, by column. */
function cellsOf(text: string): Record<string, string>[] {
  const [head = [], ...rows] = text
    .split('\r\n')
    .filter((line) => line !== '')
    .map((line) =>
      [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(
        ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
      ),
    )
  return rows.map((row) => Object.fromEntries(head.map((name, index) => [name, row[index] ?? ''])))
}

// In the order of an account's life.
describe('credit', () => {
  test('is given in dollars or in micro-USD, and the balance says so', async () => {
    const first = await credit({ usd: '12.30', note: 'invoice 7' })
    expect(first).toMatchObject({
      status: 201,
      body: {
        object: 'ledger_movement',
        account_id: accountId,
        amount_micros: 12_300_000,
        balance_micros: 12_300_000,
        reserved_micros: 0,
        available_micros: 12_300_000,
        repeated: false,
      },
    })
    expect((await credit({ micros: 45_000 })).body.balance_micros).toBe(12_345_000)
    expect(await balance()).toEqual({
      object: 'balance',
      balance_micros: 12_345_000,
      balance_usd: 12.345,
      currency: 'USD',
      reserved_micros: 0,
      available_micros: 12_345_000,
      billing: 'metered',
    })
  })

  test.each([
    ['{"micros":0.5}', 'micros'],
    ['{"micros":-1}', 'micros'],
    ['{"micros":0}', 'micros'],
    ['{"micros":9007199254740993}', null],
    ['{"micros":9000000000001}', 'micros'],
    ['{"micros":"1e3"}', 'micros'],
    ['{"micros":"10"}', 'micros'],
    ['{"micros":true}', 'micros'],
    ['{"usd":5}', 'usd'],
    ['{"usd":"1e3"}', 'usd'],
    ['{"usd":"-5"}', 'usd'],
    ['{"usd":"0.0000001"}', 'usd'],
    ['{"usd":"1,50"}', 'usd'],
    ['{"usd":"5","micros":5000000}', 'usd'],
    ['{}', 'micros'],
    ['{"micros":5,"note":""}', 'note'],
    ['{"micros":5,"reference":"\\u0000"}', 'reference'],
    ['{"micros":5,"currency":"EUR"}', 'currency'],
  ])('of %s is refused, and nothing changes', async (body, param) => {
    const before = await balance()
    const response = await fetch(new URL(`/admin/v1/accounts/${accountId}/credits`, world.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${world.key}`, 'content-type': 'application/json' },
      body,
    })
    const { error } = (await response.json()) as Json
    expect({ status: response.status, type: error.type }).toEqual({
      status: 400,
      type: 'invalid_request_error',
    })
    if (param) expect(error.param).toBe(param)
    expect(await balance()).toEqual(before)
  })

  test('with a reference, or an Idempotency-Key in its place, is given once', async () => {
    const first = await credit({ micros: 5, reference: 'pay_1' })
    const again = await credit({ micros: 5, reference: 'pay_1' })
    const byHeader = await credit({ micros: 5 }, { 'idempotency-key': '"pay_1"' })
    expect([first.status, again.status, byHeader.status]).toEqual([201, 200, 200])
    expect([again.body, byHeader.body]).toEqual([1, 2].map(() => ({ ...first.body, repeated: true })))
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect(await credit({ micros: 6, reference: 'pay_1' })).toMatchObject({
      status: 409,
      body: { error: { code: 'reference_reused', type: 'conflict_error', param: 'reference' } },
    })
    const both = await credit({ micros: 5, reference: 'pay_1' }, { 'idempotency-key': 'pay_2' })
    expect(both).toMatchObject({ status: 400, body: { error: { param: 'reference' } } })
    expect((await adjust({ micros: -5, note: 'the test is over' })).status).toBe(201)
    expect((await balance()).balance_micros).toBe(12_345_000)
  })

  test('of an account that is not there is a 404, and nobody but the operator gives it', async () => {
    for (const id of ['acct_0123456789abcdef01234567', 'nobody', '%00']) {
      expect(await admin(`/accounts/${id}/credits`, { micros: 5 })).toMatchObject({ status: 404 })
      expect(await admin(`/accounts/${id}/ledger`)).toMatchObject({ status: 404 })
    }
    for (const path of [
      `/admin/v1/accounts/${accountId}/credits`,
      `/admin/v1/accounts/${accountId}/adjustments`,
    ]) {
      expect(await call(path, { micros: 5, note: 'mine' })).toMatchObject({ status: 403 })
    }
    for (const path of ['/ledger', `/accounts/${accountId}/ledger`, '/usage']) {
      expect((await call(`/admin/v1${path}`)).status).toBe(403)
    }
    expect((await balance()).balance_micros).toBe(12_345_000)
  })
})

describe('what is drawn', () => {
  const draw = (body: object = {}) =>
    call('/v1/images/generations', { model: 'gesso-collage', prompt: 'a fox', size: '64x64', ...body })

  test('is charged, and the sum of the CSV file is what the balance lost', async () => {
    const before = (await balance()).balance_micros
    for (const body of [{}, { n: 2 }, { bucket: 'Foxes' }]) {
      const { status, body: answer } = await draw(body)
      expect(status, JSON.stringify(answer)).toBe(200)
    }
    expect((await draw({ prompt: '' })).status).toBe(400)
    const lost = before - (await balance()).balance_micros
    expect(lost).toBe(4 * price)

    const file = await call('/v1/usage?group_by=day,key,bucket&format=csv')
    expect(file.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present')
    expect(file.headers.get('content-disposition')).toMatch(/^attachment; filename="usage-\d.*\.csv"$/)
    const rows = cellsOf(file.text)
    expect(rows.map((row) => row.bucket).sort()).toEqual(['', 'foxes'])
    // A spreadsheet would read the name as a formula.
    expect(new Set(rows.map((row) => row.key_name))).toEqual(new Set([`'@bot, "the first"`]))
    expect(rows.reduce((sum, row) => sum + Number(row.charged_micros), 0)).toBe(lost)
    expect(rows.reduce((sum, row) => sum + Number(row.images), 0)).toBe(4)
    expect(Object.keys(rows[0] ?? {}).join()).not.toContain('provider')
    expect((await call('/v1/usage?group_by=day,key,bucket', undefined, { accept: 'text/csv' })).text).toBe(
      file.text,
    )
  })

  test('is told as JSON with its total, by day unless asked otherwise', async () => {
    const sums = {
      requests: 3,
      succeeded: 3,
      failed: 0,
      images: 4,
      list_micros: 4 * price,
      charged_micros: 4 * price,
      unpriced_images: 0,
    }
    const usage = await call('/v1/usage')
    expect(usage).toMatchObject({ status: 200 })
    expect(usage.body).toMatchObject({ object: 'list', to: today(), group_by: ['day'], has_more: false })
    expect(usage.body.data).toEqual([{ day: today(), ...sums }])
    expect(usage.body.total).toEqual(sums)
    const bySource = (await call('/v1/usage?group_by=source,model')).body
    expect(bySource.data).toEqual([{ source: 'credits', model: 'gesso-collage', ...sums }])
  })

  test('is seen by its account alone; the operator sees all, and what the providers asked', async () => {
    await world.draw({ model: 'gesso-collage', prompt: 'a cat', size: '64x64' })
    expect((await read(await world.call('/v1/usage'))).body.total).toMatchObject({
      requests: 1,
      charged_micros: 0,
    })
    expect((await call('/v1/usage')).body.total.requests).toBe(3)

    const all = (await admin('/usage?group_by=account,provider')).body
    expect(all.total.requests).toBe(4)
    const mine = all.data.find((row: Json) => row.account_id === accountId)
    expect(mine).toMatchObject({ account_name: '=cmd()', provider: 'collage', charged_micros: 4 * price })
    expect(mine).toHaveProperty('provider_micros')
    expect(mine).toHaveProperty('not_reported')
    const one = (await admin(`/usage?account_id=${accountId}`)).body
    expect(one.total).toMatchObject({ requests: 3, charged_micros: 4 * price })
    expect((await admin('/usage?group_by=account&format=csv')).text).toContain(",'=cmd(),")
  })

  test.each([
    ['/v1/usage?from=2026-02-30', 'from'],
    ['/v1/usage?from=yesterday', 'from'],
    // No year of PostgreSQL's, and the month before it.
    ['/v1/usage?from=0000-01-01&to=0000-01-02', 'from'],
    ['/v1/usage?to=0000-01-05', 'to'],
    ['/v1/usage?from=2026-03-02&to=2026-03-01', 'from'],
    ['/v1/usage?from=2025-01-01&to=2026-01-02', 'from'],
    ['/v1/usage?to=%00', 'to'],
    ['/v1/usage?to=2026-01-01&to=2026-01-02', 'to'],
    ['/v1/usage?group_by=', 'group_by'],
    ['/v1/usage?group_by=day,day', 'group_by'],
    ['/v1/usage?group_by=provider', 'group_by'],
    ['/v1/usage?group_by=account', 'group_by'],
    ['/v1/usage?format=xml', 'format'],
    ['/v1/usage?account_id=acct_0123456789abcdef01234567', 'account_id'],
    ['/admin/v1/usage?account_id=%00', 'account_id'],
    ['/admin/v1/ledger?limit=0', 'limit'],
    ['/admin/v1/ledger?limit=1001', 'limit'],
    ['/admin/v1/ledger?cursor=-1', 'cursor'],
    ['/admin/v1/ledger?task_id=%27', 'task_id'],
  ])('%s is refused', async (path, param) => {
    const { status, body } = await read(await world.call(path))
    expect({ status, param: body.error.param }).toEqual({ status: 400, param })
  })

  test('366 days can be asked for, and days without anything are empty', async () => {
    const { status, body } = await call('/v1/usage?from=2024-01-01&to=2024-12-31')
    expect({ status, data: body.data, total: body.total.requests }).toEqual({
      status: 200,
      data: [],
      total: 0,
    })
  })
})

describe('the ledger', () => {
  test('tells each movement, in pages, and the balance is its sum', async () => {
    const pages: Json[] = []
    let cursor = ''
    do {
      const { body } = await admin(`/accounts/${accountId}/ledger?limit=4${cursor}`)
      pages.push(body)
      cursor = body.has_more ? `&cursor=${body.next_cursor}` : ''
    } while (cursor)
    const entries = pages.flatMap((page) => page.data)
    expect(pages.slice(0, -1).map((page) => page.data.length)).toEqual(pages.slice(0, -1).map(() => 4))
    expect(entries.map((entry) => entry.kind).sort()).toEqual(
      [
        'credit',
        'credit',
        'credit',
        'adjust',
        ...Array(3).fill('reserve'),
        ...Array(3).fill('settle'),
      ].sort(),
    )
    const sum = entries.reduce((total, entry) => total + entry.amount_micros, 0)
    expect(sum).toBe((await balance()).balance_micros)
    expect(entries[0]).toMatchObject({
      object: 'ledger_entry',
      balance_after_micros: sum,
      account_id: accountId,
    })
    expect((await admin('/ledger?limit=1000')).body.data).toEqual(entries)
  })

  test('shows a refund under its task, which never exceeds the charge', async () => {
    const { task_id } = (await admin('/ledger')).body.data.find((entry: Json) => entry.kind === 'settle')
    const refund = { usd: '0.03', note: 'it was blurred', task_id }
    expect((await adjust(refund, { 'idempotency-key': 'refund 1' })).status).toBe(201)
    expect((await adjust(refund, { 'idempotency-key': 'refund 1' })).status).toBe(200)
    expect(await adjust(refund)).toMatchObject({ status: 400, body: { error: { param: 'micros' } } })
    const { data } = (await admin(`/ledger?task_id=${task_id}`)).body
    expect(data.map((entry: Json) => [entry.kind, entry.amount_micros])).toEqual([
      ['adjust', 30_000],
      ['settle', -price],
      ['reserve', 0],
    ])
  })

  test('takes no more than there is, and needs a reason', async () => {
    const { available_micros: available } = await balance()
    const much = await adjust({ micros: -available - 1, note: 'all of it and more' })
    expect(much).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringContaining('are available') } },
    })
    expect(await adjust({ micros: -1 })).toMatchObject({ status: 400, body: { error: { param: 'note' } } })
    expect(await adjust({ micros: 0, note: 'no' })).toMatchObject({ status: 400 })
  })

  test('is written about in the audit log, with the key that did it', async () => {
    const { rows } = await sql<{ action: string; actor: string; request_id: string }>`
      select action, actor, request_id from audit_log where account_id = ${accountId} and action like 'account.%ed'
        and action <> 'account.created'`.execute(database.db)
    expect(rows.map(({ action }) => action).sort()).toEqual([
      ...Array(2).fill('account.adjusted'),
      ...Array(3).fill('account.credited'),
    ])
    for (const row of rows) {
      expect(row.actor).toMatch(/^key_/)
      expect(row.request_id).toMatch(/^req_/)
    }
  })

  test('that does not add up is found by the doctor, which names the account and fails', async () => {
    await sql`update accounts set balance_micros = balance_micros + 1 where id = ${accountId}`.execute(
      database.db,
    )
    const env = { GESSO_DATA_DIR: world.dataDir, DATABASE_URL: world.databaseUrl }
    const run = await runCli(['doctor'], { cwd: world.dataDir, env })
    expect(run.code).toBe(1)
    expect(run.stdout).toMatch(new RegExp(`^fail {2}ledger .*account ${accountId}: the balance is`, 'm'))
    await sql`update accounts set balance_micros = balance_micros - 1 where id = ${accountId}`.execute(
      database.db,
    )
  })
})
