/**
 * A server that is told to end while work waits in all of its queues: what is paid for is kept, what is not yet paid for
 * may be sent again, and neither takes longer than the rest of a job.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type OpenDatabase, openDatabase } from '../../src/db/open-database.ts'
import { type LoopbackHttpServer, serveHttp } from '../../src/net/testing/loopback.ts'
import { type FakeChat, startFakeChat } from '../upstreams/fake-chat.ts'
import { type FakeUpstream, startFakeOpenAi } from '../upstreams/openai.ts'
import { type Answer, type DrawingWorld, openDrawingWorld } from './drawing-world.ts'

const picturesPerCall = 10
/** Bytes that one download brings and the spool has no room for. */
const tooMuch = Buffer.alloc(9 * 1024 * 1024)

const cleanUps = new AsyncDisposableStack()
let upstream: FakeUpstream
let chat: FakeChat
/** Gives more than the spool takes at `/large`, and else never an answer. */
let host: LoopbackHttpServer
let world: DrawingWorld
let database: OpenDatabase
beforeAll(async () => {
  upstream = cleanUps.use(await startFakeOpenAi({ dialect: 'openai-compatible' }))
  chat = cleanUps.use(await startFakeChat())
  host = await serveHttp(({ url }, response) => {
    if (url === '/large') response.end(tooMuch)
  })
  cleanUps.defer(() => host.close())
  world = cleanUps.use(
    await openDrawingWorld(
      `
server: { stop_timeout_ms: 300 }
inputs: { spool_bytes: ${tooMuch.length - 1} }
optimizer: { base_url: '${chat.url}', timeout_ms: 60000 }
models:
  - { id: own, provider: openai, supports: [image] }
`,
      { OPENAI_BASE_URL: upstream.url, GESSO_ALLOW_PRIVATE: '127.0.0.0/8' },
    ),
  )
  database = cleanUps.use(openDatabase({ connectionString: world.databaseUrl }, { poolSize: 1 }))
})
afterAll(() => cleanUps.disposeAsync())

const edits = { path: '/v1/images/edits' }
const retryOf = ({ headers }: Answer) => [headers.get('x-should-retry'), headers.has('retry-after')]

function spooledFiles(): unknown[] {
  return readdirSync(world.dataDir, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.parentPath.includes('spool'),
  )
}

test('a spool without room, found full before the provider is asked, says that a repetition is safe', async () => {
  const refused = await world.draw({ model: 'own', prompt: 'x', image: `${host.origin}/large` }, edits)
  expect([refused.status, refused.json.error.code, ...retryOf(refused)]).toEqual([
    429,
    'queue_full',
    'true',
    true,
  ])
  expect(upstream.submissions()).toBe(0)
})

describe('a stop', () => {
  const made: Answer[] = []
  /** An edit in the queue for pixels, one whose picture is being downloaded, a prompt that is being rewritten. */
  const unpaid: Answer[] = []

  beforeAll(async () => {
    await chat.play('slow')
    // Half a second of work for each in both forms, and a few kilobytes.
    const large = sharp({ create: { width: 2500, height: 2500, channels: 3, background: 'teal' } })
    const b64_json = (await large.clone().png().toBuffer()).toString('base64')
    const sideways = await large.clone().withMetadata({ orientation: 6 }).jpeg().toBuffer()
    await upstream.play({
      status: 200,
      body: { created: 1, data: Array.from({ length: picturesPerCall }, () => ({ b64_json })) },
    })

    const ask = { model: 'own', prompt: 'a heron', n: picturesPerCall }
    const paying = [1, 2].map(() => world.draw({ ...ask, output_format: 'avif' }))
    await vi.waitFor(() => expect(upstream.submissions()).toBe(2))
    const image = `data:image/jpeg;base64,${sideways.toString('base64')}`
    const others = [
      world.draw({ ...ask, image }, edits),
      world.draw({ ...ask, image: `${host.origin}/silent` }, edits),
      world.draw({ ...ask, enhance_prompt: true }),
    ]
    await vi.waitFor(async () => {
      const downloads = host.seen.filter(({ url }) => url === '/silent').length
      expect([downloads, chat.requests.length, await runningTasks()]).toEqual([1, 1, 5])
    })

    await world.app[Symbol.asyncDispose]()
    made.push(...(await Promise.all(paying)))
    unpaid.push(...(await Promise.all(others)))
  })

  async function runningTasks(): Promise<number> {
    const tasks = database.db.selectFrom('tasks').select('id').where('status', '=', 'IN_PROGRESS')
    return (await tasks.execute()).length
  }

  test('keeps every picture that is made, as the provider made it where there was no time to convert it', async () => {
    expect(made.map(({ status, json }) => [status, json.data?.length])).toEqual([
      [200, picturesPerCall],
      [200, picturesPerCall],
    ])
    for (const { json } of made) {
      expect(json.warnings).toMatchObject([{ param: 'output_format', code: 'not_converted' }])
    }
    const rows = await database.db.selectFrom('images').select(['object_key', 'format']).execute()
    expect(rows).toHaveLength(2 * picturesPerCall)
    expect(rows.filter(({ format }) => format === 'png').length).toBeGreaterThan(picturesPerCall)
    for (const { object_key: key } of rows) {
      const { format } = await sharp(join(world.dataDir, 'objects', key)).metadata()
      expect(format).toBe(key.endsWith('.avif') ? 'heif' : 'png')
    }
  })

  test('tells those whose provider was not asked that they may send the same again', async () => {
    expect(unpaid.map(({ status, json }) => [status, json.error?.code])).toEqual(
      unpaid.map(() => [503, 'overloaded']),
    )
    expect(unpaid.map(retryOf)).toEqual(unpaid.map(() => ['true', true]))
    expect(upstream.submissions()).toBe(2)
  })

  test('leaves no task open and no input picture behind', async () => {
    expect(await runningTasks()).toBe(0)
    expect(spooledFiles()).toEqual([])
  })
})
