/**
 * What many large pictures at once cost a Gesso of its own: little memory, whoever draws, because they wait on the
 * disk; and bombs cost none. It goes on answering others meanwhile. Reads `/proc`, so it is for Linux.
 */
import { createHash, randomFillSync } from 'node:crypto'
import { once } from 'node:events'
import {
  createReadStream,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { type IncomingMessage, request as openRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { endLeftovers, type GessoProcess, startGesso } from '../setup/gesso-process.ts'
import { createEmptyDatabase } from '../setup/test-database.ts'
import { type FakeUpstream, startFakeOpenAi } from '../upstreams/openai.ts'
import type { RecordedFile } from '../upstreams/recorded-file.ts'

const mebibyte = 1024 * 1024
const config = 'models:\n  - id: local/edit\n    provider: openai\n    supports: [image, mask]\n'
const fixtures = resolve(import.meta.dirname, '../../src/media/__fixtures__/bombs')

const cleanUps = new AsyncDisposableStack()
let gesso: GessoProcess
let upstream: FakeUpstream
/** A PNG of almost 50 MiB, on the disk. */
let large: string
let largeSha256: string

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gesso-memory-'))
  cleanUps.defer(() => rmSync(folder, { recursive: true, force: true }))
  upstream = await startFakeOpenAi({ dialect: 'openai-compatible', otherSize: { width: 64, height: 64 } })
  cleanUps.defer(() => upstream.close())
  const database = await createEmptyDatabase()
  cleanUps.defer(() => database.drop())
  writeFileSync(join(folder, 'gesso.yaml'), config)
  const bytes = await noise()
  expect(bytes.length / mebibyte).toBeGreaterThan(49.8)
  largeSha256 = createHash('sha256').update(bytes).digest('hex')
  large = join(folder, 'large.png')
  writeFileSync(large, bytes)
  gesso = await startGesso({
    dataDir: join(folder, 'data'),
    env: {
      GESSO_CONFIG: join(folder, 'gesso.yaml'),
      DATABASE_URL: database.url,
      OPENAI_BASE_URL: upstream.url,
      GESSO_REQUESTS_PER_MINUTE: '100000',
    },
  })
  cleanUps.defer(endLeftovers)
})
afterAll(() => cleanUps.disposeAsync())

/** Pixels that do not compress, sixteen bits in four channels. */
function noise(): Promise<Buffer> {
  const raw = { width: 2_500, height: 2_610, channels: 4 } as const
  const samples = randomFillSync(new Uint16Array(raw.width * raw.height * raw.channels))
  return sharp(samples, { raw }).toColourspace('rgb16').png({ compressionLevel: 0 }).toBuffer()
}

/** Sends the large picture from the disk, so that the client takes no part in what is measured. */
async function edit(model: string): Promise<number | undefined> {
  const fields = Object.entries({ model, prompt: 'a hat', size: '64x64' })
  const texts = fields.map(([name, value]) => `${partHead(name)}\r\n\r\n${value}\r\n`).join('')
  const head = `${texts}${partHead('image')}; filename="large.png"\r\n\r\n`
  const tail = '\r\n--b--\r\n'
  const sizeBytes = head.length + statSync(large).size + tail.length
  const request = openRequest(new URL('/v1/images/edits', gesso.url), {
    method: 'POST',
    headers: {
      authorization: `Bearer ${gesso.key}`,
      'content-type': 'multipart/form-data; boundary=b',
      'content-length': sizeBytes,
    },
  })
  const answered = once(request, 'response') as Promise<[IncomingMessage]>
  async function* body() {
    yield head
    yield* createReadStream(large, { highWaterMark: 1024 * 1024 })
    yield tail
  }
  await pipeline(body, request)
  const [response] = await answered
  await buffer(response)
  return response.statusCode
}

const partHead = (name: string) => `--b\r\nContent-Disposition: form-data; name="${name}"`

async function generate(body: object): Promise<number> {
  const response = await fetch(new URL('/v1/images/generations', gesso.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${gesso.key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  await response.arrayBuffer()
  return response.status
}

/** In MiB. */
interface Memory {
  /** Gesso's process. */
  own: number
  /** It and its children. */
  all: number
}

function resident(): Memory {
  const pid = gesso.child.pid ?? 0
  const own = residentMebibytes(pid)
  return { own, all: childrenOf(pid).reduce((sum, child) => sum + residentMebibytes(child), own) }
}

/** The most that was resident while `work` ran. Gesso has to say meanwhile, again and again, that it is well. */
async function peak(work: () => Promise<void>): Promise<Memory> {
  const most: Memory = { own: 0, all: 0 }
  let isOver = false
  const pid = gesso.child.pid ?? 0
  // Often enough for a peak; looking for children means reading all of /proc.
  const timers = [
    setInterval(() => {
      most.own = Math.max(most.own, residentMebibytes(pid))
    }, 25),
    setInterval(() => {
      most.all = Math.max(most.all, resident().all)
    }, 250),
  ]
  const askAfterHealth = async () => {
    let answers = 0
    for (; !isOver || answers < 3; answers++) {
      const response = await fetch(new URL('/healthz', gesso.url), { signal: AbortSignal.timeout(10_000) })
      await response.arrayBuffer()
      expect(response.status).toBe(200)
      await sleep(50)
    }
  }
  const working = work().finally(() => {
    isOver = true
    for (const timer of timers) clearInterval(timer)
  })
  await Promise.all([working, askAfterHealth()])
  return most
}

function residentMebibytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readStatus(pid))?.[1] ?? 0) / 1024
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((one) => one > 0 && new RegExp(`^PPid:\\s+${pid}$`, 'm').test(readStatus(one)))
}

/** Empty for a process that has ended. */
function readStatus(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return ''
  }
}

describe.skipIf(process.platform !== 'linux')('many large pictures at once', () => {
  test('ten edits of 50 MB at once all succeed, in 600 MB: every other one is sent on, the others are drawn here', async () => {
    const models = ['local/edit', 'gesso-collage']
    upstream.requests.length = 0
    const asked = Array.from({ length: 10 }, (_, index) => models[index % models.length] ?? '')
    const memory = await peak(async () => {
      const statuses = await Promise.all(asked.map((model) => edit(model)))
      expect(statuses).toEqual(Array(10).fill(200))
    })
    expect(memory.own).toBeLessThan(600)
    const arrived = upstream.requests.map(({ body }) => (body as { image: RecordedFile }).image.sha256)
    expect(arrived).toEqual(Array(10 / models.length).fill(largeSha256))
  }, 90_000)

  test('ten bombs at a time, of every kind, are refused and cost next to nothing', async () => {
    const before = resident()
    const memory = await peak(async () => {
      for (const name of readdirSync(fixtures)) {
        const image = gunzipSync(readFileSync(join(fixtures, name))).toString('base64')
        const body = { model: 'gesso-collage', prompt: 'a hat', image, output_format: 'png' }
        const statuses = await Promise.all(Array.from({ length: 10 }, () => generate(body)))
        expect(statuses, name).toEqual(Array(10).fill(400))
      }
    })
    // One alone takes 300 MB to a gigabyte when it is decoded.
    expect(memory.all - before.all).toBeLessThan(300)
  }, 60_000)
})
