/**
 * A server that dies, or is told to end, while vendors are at work on what they have accepted: the next one follows the
 * work to its end, and nothing is sent again.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase } from '../../src/db/open-database.ts'
import { endLeftovers, type GessoProcess, startGesso } from '../setup/gesso-process.ts'
import { createEmptyDatabase } from '../setup/test-database.ts'
import { fakeBflKey, startFakeBfl } from '../upstreams/bfl.ts'
import { fakeDashScopeKey, startFakeDashScope } from '../upstreams/dashscope.ts'
import type { FakeUpstream } from '../upstreams/fake-upstream.ts'
import { fakeFalKey, startFakeFal } from '../upstreams/fal.ts'
import { fakeReplicateKey, startFakeReplicate } from '../upstreams/replicate.ts'

const cleanUps = new AsyncDisposableStack()
const folder = mkdtempSync(join(tmpdir(), 'gesso-resume-'))
cleanUps.defer(() => rmSync(folder, { recursive: true, force: true }))

/** One model for each vendor, and how many pictures are asked of it. */
const orders = { 'flux-1-schnell': 1, 'flux-2-pro': 2, 'wan2.6-t2i': 1, 'own-fal': 1 }
const config = join(folder, 'gesso.yaml')
writeFileSync(
  config,
  `
server: { stop_timeout_ms: 300 }
tasks: { heartbeat_ms: 500, dead_after_ms: 5000 }
models:
  - { id: own-fal, provider: fal, upstream_model: fal-ai/flux/schnell }
`,
)

let fakes: Record<keyof typeof orders, FakeUpstream>
let env: Record<string, string>
let database: ReturnType<typeof openDatabase>
beforeAll(async () => {
  const [replicate, bfl, dashscope, fal] = await Promise.all([
    startFakeReplicate(),
    startFakeBfl(),
    startFakeDashScope(),
    startFakeFal(),
  ])
  for (const fake of [replicate, bfl, dashscope, fal]) cleanUps.use(fake)
  fakes = { 'flux-1-schnell': replicate, 'flux-2-pro': bfl, 'wan2.6-t2i': dashscope, 'own-fal': fal }
  const empty = await createEmptyDatabase()
  cleanUps.defer(() => empty.drop())
  database = cleanUps.use(openDatabase({ connectionString: empty.url }, { poolSize: 1 }))
  env = {
    DATABASE_URL: empty.url,
    GESSO_CONFIG: config,
    GESSO_LOG_LEVEL: 'debug',
    REPLICATE_API_TOKEN: fakeReplicateKey,
    REPLICATE_BASE_URL: replicate.url,
    BFL_API_KEY: fakeBflKey,
    BFL_BASE_URL: bfl.url,
    DASHSCOPE_API_KEY: fakeDashScopeKey,
    DASHSCOPE_BASE_URL: dashscope.url,
    FAL_KEY: fakeFalKey,
    FAL_BASE_URL: fal.url,
  }
})
afterAll(async () => {
  await endLeftovers()
  await cleanUps.disposeAsync()
})

const start = () => startGesso({ dataDir: join(folder, 'data'), env })

function draw(gesso: GessoProcess, model: string, n: number): Promise<Response> {
  return fetch(`${gesso.url}/v1/images/generations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gesso.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, prompt: 'a red fox in the snow', n }),
  })
}

/** Waits until every call of the task is kept. */
async function keptCalls(model: string, calls: number): Promise<string> {
  const find = async () => {
    const rows = await database.db
      .selectFrom('tasks')
      .innerJoin('operations', 'task_id', 'id')
      .select((one) => ['id', one.fn.countAll().as('calls')])
      .where('model', '=', model)
      .where('status', '=', 'IN_PROGRESS')
      .groupBy('id')
      .execute()
    return rows[0]
  }
  await expect.poll(async () => Number((await find())?.calls), { timeout: 15_000 }).toBe(calls)
  return (await find())?.id ?? ''
}

async function picturesOf(gesso: GessoProcess, taskId: string): Promise<number> {
  const headers = { authorization: `Bearer ${gesso.key}` }
  const ask = async () =>
    (await fetch(`${gesso.url}/v1/images/generations/${taskId}`, { headers })).json() as Promise<{
      status: string
      error?: unknown
      result: { data: { url: string }[]; usage: { generated_images: number } }
    }>
  await expect
    .poll(async () => (await ask()).status, { timeout: 40_000, interval: 100 })
    .not.toBe('IN_PROGRESS')
  const task = await ask()
  expect(task, JSON.stringify(task.error)).toMatchObject({ status: 'SUCCEEDED' })
  for (const { url } of task.result.data) {
    const bytes = Buffer.from(await (await fetch(url)).arrayBuffer())
    expect((await sharp(bytes).metadata()).width).toBeGreaterThan(0)
  }
  return task.result.data.length
}

test('told to end, it says where the pictures will be, and the next server has them at once', async () => {
  const [model, fake] = ['flux-2-pro', fakes['flux-2-pro']] as const
  const first = await start()
  await fake.play('pending')
  const answer = draw(first, model, 1)
  const taskId = await keptCalls(model, 1)
  await first.end('SIGTERM')
  const response = await answer
  expect([response.status, response.headers.get('x-should-retry')]).toEqual([504, 'false'])
  const { error } = (await response.json()) as { error: { code: string; message: string } }
  expect(error).toMatchObject({ code: 'outcome_unknown', message: expect.stringContaining(taskId) })
  await fake.play('ok')
  const second = await start()
  expect(await picturesOf(second, taskId)).toBe(1)
  expect(fake.submissions()).toBe(1)
  await second.end('SIGTERM')
})

test('killed, its work is found and finished, and every vendor was asked once', async () => {
  const before = Object.fromEntries(Object.entries(fakes).map(([model, fake]) => [model, fake.submissions()]))
  const first = await start()
  await Promise.all(Object.values(fakes).map((fake) => fake.play('pending')))
  // Heard from the beginning: they break off while the process is still being waited for.
  const answers = Promise.allSettled(Object.entries(orders).map(([model, n]) => draw(first, model, n)))
  const tasks = await Promise.all(Object.entries(orders).map(([model, n]) => keptCalls(model, n)))
  await first.end('SIGKILL')
  for (const answer of await answers) expect(answer.status).toBe('rejected')
  const second = await start()
  await Promise.all(Object.values(fakes).map((fake) => fake.play('ok')))
  const made = await Promise.all(tasks.map((taskId) => picturesOf(second, taskId)))
  expect(made).toEqual(Object.values(orders))
  const asked = Object.entries(fakes).map(([model, fake]) => fake.submissions() - Number(before[model]))
  expect(asked).toEqual(Object.values(orders))
  await second.end('SIGTERM')
  for (const log of [first.stdout() + first.stderr(), second.stdout() + second.stderr()]) {
    expect(log).not.toContain('red fox')
    expect(log).not.toMatch(/[A-Za-z0-9+/]{200}/)
    for (const key of [fakeReplicateKey, fakeBflKey, fakeDashScopeKey, fakeFalKey])
      expect(log).not.toContain(key)
  }
}, 90_000)
