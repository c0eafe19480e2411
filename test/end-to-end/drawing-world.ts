/** What the tests of generations share: a Gesso with a `gesso.yaml` of its own, and calls whose answers are read whole. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { openDatabase } from '../../src/db/open-database.ts'
import { createKey, type NewKey } from '../../src/keys/create-key.ts'
import { openWorld, type World } from '../setup/world.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely, as a client of a JSON API does.
export type Json = any

export interface DrawingWorld extends World {
  /** Sends a body to an operation, `/v1/images/generations` by default, and reads the answer to its end. */
  draw(body: object, options?: { headers?: Record<string, string>; path?: string }): Promise<Answer>
  /** A key of the first account, with these wishes. */
  createKey(wishes: Partial<NewKey>): Promise<string>
}

export interface Answer {
  status: number
  headers: Headers
  json: Json
  /** The body word for word. */
  text: string
}

/** Starts a Gesso with this `gesso.yaml` and these variables. */
export async function openDrawingWorld(
  yaml: string,
  env: Record<string, string> = {},
): Promise<DrawingWorld> {
  await using stack = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'gesso-yaml-'))
  stack.defer(() => rmSync(folder, { recursive: true, force: true }))
  const config = join(folder, 'gesso.yaml')
  writeFileSync(config, yaml)
  const world = stack.use(await openWorld({ GESSO_CONFIG: config, ...env }))
  const database = stack.use(openDatabase({ connectionString: world.databaseUrl }, { poolSize: 1 }))
  const owned = stack.move()
  return {
    ...world,
    async draw(body, { headers, path = '/v1/images/generations' } = {}) {
      const response = await world.call(path, body, headers)
      const text = await response.text()
      return { status: response.status, headers: response.headers, text, json: JSON.parse(text) }
    },
    async createKey(wishes) {
      const { id: accountId } = await database.db
        .selectFrom('accounts')
        .select('id')
        .orderBy('created_at')
        .limit(1)
        .executeTakeFirstOrThrow()
      const { key } = await createKey(database.db, {
        accountId,
        name: 'a test',
        scopes: ['admin'],
        ...wishes,
      })
      return key
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** The bytes of every picture of an answer in base64. */
export function picturesOf({ json, text }: Answer): Buffer[] {
  if (!json.data) throw new Error(text)
  return json.data.map(({ b64_json }: { b64_json: string }) => Buffer.from(b64_json, 'base64'))
}

/** A PNG of one colour as a data URI; with `alpha` 0 it is a mask under which all may change. */
export async function dataUri(
  size: { width: number; height: number },
  background: { r: number; g: number; b: number; alpha?: number } = { r: 200, g: 80, b: 40 },
): Promise<string> {
  const channels = background.alpha === undefined ? 3 : 4
  const bytes = await sharp({ create: { ...size, channels, background } })
    .png()
    .toBuffer()
  return `data:image/png;base64,${bytes.toString('base64')}`
}
