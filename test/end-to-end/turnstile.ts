/** Stands before a fake vendor and lets its calls pass when a test says so: what happens while work goes on has no race. */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Kysely } from 'kysely'
import { openDatabase } from '../../src/db/open-database.ts'
import type { Database } from '../../src/db/schema.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { openWorld, type World } from '../setup/world.ts'
import { type FakeUpstream, fakeOpenAiKey, startFakeOpenAi } from '../upstreams/openai.ts'

export interface Turnstile extends AsyncDisposable {
  readonly origin: string
  /** Calls that came, held back or not. */
  arrived(): number
  /** From now on nobody passes. */
  hold(): void
  /** Everybody passes, those that were held back included. */
  release(): void
  /** Breaks the connection of the next call once it has come whole. */
  cutNext(): void
}

/** Opens it, for everybody to pass. */
export async function openTurnstile(to: string): Promise<Turnstile> {
  let arrived = 0
  let isCut = false
  let open = Promise.withResolvers<void>()
  open.resolve()
  const server = createServer(async (message, response) => {
    const body = Buffer.concat(await message.toArray())
    arrived += 1
    if (isCut) {
      isCut = false
      response.destroy()
      return
    }
    await open.promise
    const { authorization = '', 'content-type': type = '' } = message.headers
    const headers = { authorization, 'content-type': type }
    const answer = await fetch(new URL(message.url ?? '/', to), { method: message.method, headers, body })
    const mediaType = answer.headers.get('content-type') ?? 'application/json'
    response.writeHead(answer.status, { 'content-type': mediaType })
    response.end(Buffer.from(await answer.arrayBuffer()))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrived: () => arrived,
    hold() {
      open = Promise.withResolvers()
    },
    release: () => open.resolve(),
    cutNext() {
      isCut = true
    },
    async [Symbol.asyncDispose]() {
      open.resolve()
      server.close()
      server.closeAllConnections()
    },
  }
}

/** A Gesso with a turnstile before its fake OpenAI. */
export interface TurnstileWorld extends AsyncDisposable {
  world: World
  upstream: FakeUpstream
  turnstile: Turnstile
  db: Kysely<Database>
}

/** Starts it, with links that last for a minute. */
export async function openTurnstileWorld(options: { clock?: Clock } = {}): Promise<TurnstileWorld> {
  await using stack = new AsyncDisposableStack()
  const upstream = stack.use(await startFakeOpenAi())
  const turnstile = stack.use(await openTurnstile(upstream.origin))
  const folder = mkdtempSync(join(tmpdir(), 'gesso-yaml-'))
  stack.defer(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'gesso.yaml')
  writeFileSync(file, yamlFor(turnstile))
  const env = { OPENAI_API_KEY: fakeOpenAiKey, GESSO_REQUESTS_PER_MINUTE: '100000', GESSO_URL_TTL: '60' }
  const world = stack.use(await openWorld({ GESSO_CONFIG: file, ...env }, options))
  const { db } = stack.use(openDatabase({ connectionString: world.databaseUrl }, { poolSize: 2 }))
  const owned = stack.move()
  return { world, upstream, turnstile, db, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** `unpriced` draws as GPT Image 2 does, and nobody has said what it costs. */
function yamlFor({ origin }: Turnstile): string {
  return `
providers:
  openai:
    base_url: ${origin}/v1
models:
  - id: unpriced
    provider: openai
    upstream_model: gpt-image-2
`
}
