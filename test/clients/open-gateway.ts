/**
 * What the tests of this folder share: a Gesso as its users run it, with the built-in model and others behind a fake
 * OpenAI, and what can be known of a call from outside the client that made it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { openDatabase } from '../../src/db/open-database.ts'
import type { Warning } from '../../src/models/map-fields.ts'
import { taskResult } from '../../src/tasks/task.ts'
import { openWorld, type World } from '../setup/world.ts'
import {
  type FakeOpenAiOptions,
  type FakeUpstream,
  fakeOpenAiKey,
  startFakeOpenAi,
} from '../upstreams/openai.ts'

export interface Gateway extends AsyncDisposable {
  world: World
  upstream: FakeUpstream
  /** The two settings that a client has to change, beside the model. */
  baseURL: string
  apiKey: string
  /** The body of the newest submission to the upstream. */
  lastAsked(): Record<string, unknown>
  /** What the newest tasks asked for and were warned of, newest first. */
  lastTasks(count: number): Promise<{ model: string; mode: string; warnings: readonly Warning[] }[]>
}

/** Starts it. `models` is that part of `gesso.yaml`; `fake` says how the upstream behaves. */
export async function openGateway(
  options: { fake?: FakeOpenAiOptions; models?: string } = {},
): Promise<Gateway> {
  await using stack = new AsyncDisposableStack()
  const upstream = stack.use(await startFakeOpenAi(options.fake))
  const folder = stack.adopt(mkdtempSync(join(tmpdir(), 'gesso-clients-')), (path) =>
    rmSync(path, { recursive: true, force: true }),
  )
  const file = join(folder, 'gesso.yaml')
  writeFileSync(file, `providers:\n  openai:\n    base_url: ${upstream.url}\n${options.models ?? ''}`)
  const env = { GESSO_CONFIG: file, OPENAI_API_KEY: fakeOpenAiKey, GESSO_REQUESTS_PER_MINUTE: '100000' }
  const world = stack.use(await openWorld(env))
  const { db } = stack.use(openDatabase({ connectionString: world.databaseUrl }, { poolSize: 1 }))
  const owned = stack.move()
  return {
    world,
    upstream,
    baseURL: `${world.url}/v1`,
    apiKey: world.key,
    lastAsked: () =>
      upstream.requests.findLast(({ method }) => method === 'POST')?.body as Record<string, unknown>,
    async lastTasks(count) {
      const rows = await db
        .selectFrom('tasks')
        .select(['model', 'mode', 'result'])
        .orderBy('created_at', 'desc')
        .limit(count)
        .execute()
      return rows.map(({ model, mode, result }) => ({
        model,
        mode,
        warnings: taskResult.parse(result).warnings,
      }))
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** What a picture really is, by its bytes: `png 1024x1024`. */
export async function pictureOf(bytes: Uint8Array): Promise<string> {
  const { format, width, height } = await sharp(bytes).metadata()
  return `${format} ${width}x${height}`
}

/** The bytes behind a link, which needs no header. */
export async function download(url: string | undefined): Promise<Buffer> {
  const response = await fetch(url ?? '')
  if (!response.ok) throw new Error(`${url} answers ${response.status}`)
  return Buffer.from(await response.arrayBuffer())
}

/** A PNG of one colour. */
export function plainPng(size: { width: number; height: number }, background = '#c85028'): Promise<Buffer> {
  return sharp({ create: { ...size, channels: 3, background } })
    .png()
    .toBuffer()
}

/** A mask: its left half is transparent, and so may change. */
export async function leftHalfMask({ width, height }: { width: number; height: number }): Promise<Buffer> {
  const kept = { width: width - (width >> 1), height, channels: 4 as const, background: '#000' }
  const input = await sharp({ create: kept }).png().toBuffer()
  return sharp({ create: { width, height, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } })
    .composite([{ input, left: width >> 1, top: 0 }])
    .png()
    .toBuffer()
}

/** How far the mean colour of each half of two pictures of one size differs: 0 is the same, 255 the opposite. */
export async function halvesDiffer(one: Buffer, other: Buffer): Promise<{ left: number; right: number }> {
  const { width, height } = await sharp(one).metadata()
  const half = async (bytes: Buffer, left: number) => {
    const area = { left, top: 0, width: width >> 1, height }
    const pixels = await sharp(bytes).resize(width, height).removeAlpha().extract(area).raw().toBuffer()
    return pixels
  }
  const differ = async (left: number) => {
    const [a, b] = await Promise.all([half(one, left), half(other, left)])
    return a.reduce((sum, value, index) => sum + Math.abs(value - (b[index] ?? 0)), 0) / a.length
  }
  return { left: await differ(0), right: await differ(width - (width >> 1)) }
}
