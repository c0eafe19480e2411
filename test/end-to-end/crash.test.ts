/**
 * kill -9 at random moments under load, of Gesso and of its PostgreSQL: whatever a client was answered is still there
 * afterwards, and no restart needs a hand.
 */
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openConfiguredDatabase } from '../../src/db/open-configured-database.ts'
import { databaseSettings } from '../../src/db/settings.ts'
import { endLeftovers, type GessoProcess, startGesso } from '../setup/gesso-process.ts'
import { copyPreparedDataDir } from '../setup/prepared-data-dir.ts'

/** More of them with `npm run test:soak`. */
const rounds = process.env.GESSO_SOAK ? 20 : 1
const roundsOfPostgresAlone = 2
const clients = 4
const dataDir = mkdtempSync(join(tmpdir(), 'gesso-crash-'))
copyPreparedDataDir(dataDir)
afterAll(async () => {
  await endLeftovers()
  rmSync(dataDir, { recursive: true, force: true })
})

interface Acknowledged {
  taskId: string
  imageId: string
  sha256: string
}

// What is found dead is found soon.
const config = join(dataDir, 'gesso.yaml')
writeFileSync(config, 'tasks: { heartbeat_ms: 500, dead_after_ms: 5000 }\n')
const env = { GESSO_REQUESTS_PER_MINUTE: '1000000', GESSO_CONFIG: config }

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms))

/** One client: asks again and again until the server is gone, and notes every whole answer with a picture. */
async function load(gesso: GessoProcess, answers: Acknowledged[]): Promise<void> {
  for (;;) {
    try {
      const response = await fetch(`${gesso.url}/v1/images/generations`, {
        method: 'POST',
        headers: { authorization: `Bearer ${gesso.key}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          model: 'gesso-collage',
          prompt: 'a red fox',
          size: '64x64',
          response_format: 'b64_json',
        }),
      })
      // Without its database Gesso refuses or fails: that acknowledges nothing.
      if (response.status !== 200) {
        await response.arrayBuffer()
        await pause(20)
        continue
      }
      const body = (await response.json()) as { id: string; data: { image_id: string; b64_json: string }[] }
      const picture = body.data[0]
      if (!picture) throw new Error(`no picture in ${JSON.stringify(body)}`)
      const bytes = Buffer.from(picture.b64_json, 'base64')
      answers.push({
        taskId: body.id,
        imageId: picture.image_id,
        sha256: createHash('sha256').update(bytes).digest('hex'),
      })
    } catch (error) {
      if (error instanceof TypeError || error instanceof SyntaxError) return
      throw error
    }
  }
}

function killPostgres(): void {
  const pid = Number(readFileSync(join(dataDir, 'postgres/postmaster.pid'), 'utf8').split('\n')[0])
  process.kill(pid, 'SIGKILL')
}

async function checkAll(gesso: GessoProcess, answers: readonly Acknowledged[]): Promise<void> {
  const ask = async (path: string) =>
    (await fetch(`${gesso.url}${path}`, { headers: { authorization: `Bearer ${gesso.key}` } })).json()
  for (const { taskId, imageId, sha256 } of answers) {
    const task = (await ask(`/v1/images/generations/${taskId}`)) as {
      status: string
      result: { data: { image_id: string; url: string }[] }
    }
    expect(task.status, taskId).toBe('SUCCEEDED')
    const picture = task.result.data.find((one) => one.image_id === imageId)
    // A link names the port of its own time; its path is good on any.
    const { pathname, search } = new URL(picture?.url ?? '')
    const bytes = Buffer.from(await (await fetch(gesso.url + pathname + search)).arrayBuffer())
    expect(createHash('sha256').update(bytes).digest('hex'), imageId).toBe(sha256)
  }
}

test(`kill -9, ${rounds} times, loses nothing that was acknowledged`, { timeout: 300_000 }, async () => {
  const all: Acknowledged[] = []
  for (let round = 0; round < rounds; round++) {
    const gesso = await startGesso({ dataDir, env })
    const answers: Acknowledged[] = []
    const working = Array.from({ length: clients }, () => load(gesso, answers))
    // Every third is shot while it warms up; the others have answered somebody, however slow the machine is.
    const warm = round % 3 !== 2
    if (warm) await expect.poll(() => answers.length, { timeout: 20_000 }).toBeGreaterThan(0)
    await pause(50 + Math.random() * 400)
    // Now and then PostgreSQL is shot as well, a moment before.
    if (round % 5 === 4) killPostgres()
    await gesso.end('SIGKILL')
    await Promise.all(working)
    all.push(...answers)
  }
  expect(all.length).toBeGreaterThan(rounds / 2)

  const gesso = await startGesso({ dataDir, env })
  await checkAll(gesso, all)

  const alone: Acknowledged[] = []
  const working = Array.from({ length: clients }, () => load(gesso, alone))
  for (let round = 0; round < roundsOfPostgresAlone; round++) {
    await pause(200 + Math.random() * 300)
    killPostgres()
    const before = alone.length
    // It recovers by itself, and goes on answering pictures.
    await expect.poll(() => alone.length, { timeout: 20_000 }).toBeGreaterThan(before + clients)
  }
  await gesso.end('SIGKILL')
  await Promise.all(working)
  const last = await startGesso({ dataDir, env })
  await checkAll(last, alone)
  await using database = await openConfiguredDatabase({
    settings: databaseSettings.parse({}),
    dataDir,
    role: 'tool',
    onNotice: () => {},
  })
  const running = () =>
    database.db.selectFrom('tasks').select('id').where('status', '=', 'IN_PROGRESS').execute()
  await expect.poll(running, { timeout: 30_000, interval: 500 }).toEqual([])
  expect(await last.end('SIGTERM')).toBe(0)
})
