/**
 * What the tests of this folder share: a Gesso with models behind a fake upstream and a chat model, a loopback host of
 * pictures, and calls whose every answer is searched for empty strings, which no answer may hold.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect } from 'vitest'
import { openDatabase } from '../../src/db/open-database.ts'
import { createKey, type NewKey } from '../../src/keys/create-key.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { createId } from '../../src/lib/ids.ts'
import { openWorld, type World } from '../setup/world.ts'
import { type FakeChat, startFakeChat } from '../upstreams/fake-chat.ts'
import { type FakeUpstream, startFakeOpenAi } from '../upstreams/openai.ts'

export interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely, as a client of a JSON API does.
  body: any
}

export interface Service extends AsyncDisposable {
  world: World
  upstream: FakeUpstream
  chat: FakeChat
  /** The address of a host with a 120x80 picture in the format that the path's ending names. */
  pictures: string
  /** GET, or POST of a JSON body, with the first key unless the headers say otherwise. */
  call(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  /** Which operation of the upstream was called last. */
  lastPath(): string | undefined
  /** What the upstream was asked last. */
  // biome-ignore lint/suspicious/noExplicitAny: a recorded body is looked into freely.
  lastAsked(): any
  /** A key of the first account, or of a new one. */
  key(own: Partial<NewKey> & { otherAccount?: boolean }): Promise<string>
}

/** The header of another key. */
export function as(key: string): Record<string, string> {
  return { authorization: `Bearer ${key}` }
}

/** Starts it; `models` is that part of `gesso.yaml`. */
export async function openService(models: string, options: { clock?: Clock } = {}): Promise<Service> {
  await using stack = new AsyncDisposableStack()
  const upstream = stack.use(await startFakeOpenAi({ dialect: 'openai-compatible' }))
  const chat = stack.use(await startFakeChat())
  const pictures = stack.adopt(await openPictures(), (host) => host.close()).origin
  const folder = stack.adopt(mkdtempSync(join(tmpdir(), 'gesso-service-')), (path) =>
    rmSync(path, { recursive: true, force: true }),
  )
  const file = join(folder, 'gesso.yaml')
  writeFileSync(file, `optimizer:\n  base_url: ${chat.url}\n${models}`)
  const env = { GESSO_CONFIG: file, OPENAI_BASE_URL: upstream.url, GESSO_ALLOW_PRIVATE: '127.0.0.0/8' }
  const world = stack.use(await openWorld({ ...env, GESSO_REQUESTS_PER_MINUTE: '100000' }, options))
  const database = stack.use(openDatabase({ connectionString: world.databaseUrl }, { poolSize: 1 }))
  const first = await database.db.selectFrom('accounts').select('id').executeTakeFirstOrThrow()
  const lastCall = () => upstream.requests.findLast((request) => request.method === 'POST')
  const owned = stack.move()
  return {
    world,
    upstream,
    chat,
    pictures,
    async call(path, body, headers = {}) {
      const response = await world.call(path, body, headers)
      const answer = { status: response.status, headers: response.headers, body: await response.json() }
      expect(emptyStrings(answer.body)).toEqual([])
      return answer
    },
    lastPath: () => lastCall()?.path,
    lastAsked: () => lastCall()?.body,
    async key({ otherAccount = false, ...own }) {
      const accountId = otherAccount ? createId('acct') : first.id
      if (otherAccount) {
        const row = { id: accountId, name: 'another', billing: 'unmetered' } as const
        await database.db.insertInto('accounts').values(row).execute()
      }
      const scopes = ['images:write', 'images:read'] as const
      return (await createKey(database.db, { accountId, name: 'test', scopes, ...own })).key
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Expects a refusal in the one shape that all errors have. */
export function expectError(
  answer: Answer,
  wanted: { status: number; type?: string; code?: string; param?: string | null; says?: RegExp },
): void {
  expect(answer.body).toMatchObject({ error: { message: expect.any(String), type: expect.any(String) } })
  const { error } = answer.body
  // The words of the library that checks are not ours.
  expect(error.message).not.toMatch(/Invalid|Too (big|small)|Unrecognized|expected/)
  expect(Object.keys(error).sort()).toEqual(['code', 'message', 'param', 'type'])
  const { status, type = 'invalid_request_error', says = /./ } = wanted
  expect({ status: answer.status, ...error }).toMatchObject({
    status,
    type,
    message: expect.stringMatching(says),
    ...(wanted.code ? { code: wanted.code } : {}),
    ...(wanted.param === undefined ? {} : { param: wanted.param }),
  })
}

/** The body of a curl command: what stands in quotes behind -d or --data. */
export function dataOf(curl: string): Record<string, unknown> {
  const [, data = ''] = /(?:-d|--data) '([^']*)'/.exec(curl) ?? []
  return JSON.parse(data)
}

/** What a picture really is, by its bytes: `png 1024x1024`. */
export async function pictureOf(bytes: Buffer | ArrayBuffer): Promise<string> {
  const { format, width, height } = await sharp(Buffer.from(bytes as ArrayBuffer)).metadata()
  return `${format} ${width}x${height}`
}

/** What is behind a link, without any header. */
export async function pictureAt(url: string): Promise<string> {
  const response = await fetch(url)
  expect(response.status).toBe(200)
  return pictureOf(await response.arrayBuffer())
}

/** The pixels alone, by their hash: the file around them tells of its task. */
export async function pixelsOf(base64: string): Promise<string> {
  const pixels = await sharp(Buffer.from(base64, 'base64')).raw().toBuffer()
  return createHash('sha256').update(pixels).digest('hex')
}

/** A small picture as a data URI; `clear` is a PNG of transparent pixels. */
export async function dataUri(kind: 'png' | 'jpeg' | 'clear' = 'png'): Promise<string> {
  const format = kind === 'clear' ? 'png' : kind
  return `data:image/${format};base64,${(await draw(format, kind === 'clear' ? 0 : 1)).toString('base64')}`
}

function emptyStrings(value: unknown, path = ''): string[] {
  if (value === '') return [path]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, one]) => emptyStrings(one, `${path}/${key}`))
}

function draw(format: 'png' | 'jpeg', alpha = 1): Promise<Buffer> {
  const background = { r: 200, g: 80, b: 40, alpha }
  return sharp({ create: { width: 120, height: 80, channels: 4, background } })
    .toFormat(format)
    .toBuffer()
}

async function openPictures(): Promise<{ origin: string; close(): void }> {
  const server = createServer(async (request, response) => {
    const format = request.url?.endsWith('.jpg') ? 'jpeg' : 'png'
    response.writeHead(200, { 'content-type': `image/${format}` }).end(await draw(format))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
