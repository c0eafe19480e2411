/**
 * A bare server that reads bodies and says what came, for tests of everything that happens before a route. Run as a
 * program it prints its address, and measures its own memory for whoever asks.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify, { type FastifyInstance } from 'fastify'
import { isSpooledFile } from '../../inputs/is-spooled-file.ts'
import { createSpool, type Spool } from '../../inputs/spool.ts'
import { toHttpError } from '../errors.ts'
import { MultipartBody } from '../multipart-body.ts'
import { type BodyBounds, readBodies } from '../request-body.ts'

const mebibyte = 1024 * 1024

export interface BodyServer extends AsyncDisposable {
  url: string
  server: FastifyInstance
  spool: Spool
  /** Files on the disk. */
  files(): number
}

export interface BodyServerOptions extends Partial<Omit<BodyBounds, 'spool'>> {
  spool?: Partial<Parameters<typeof createSpool>[0]>
}

/** Starts one on a port of its own. `register` may add routes. */
export async function openBodyServer(
  options: BodyServerOptions = {},
  register: (server: FastifyInstance) => void = () => undefined,
): Promise<BodyServer> {
  const directory = mkdtempSync(join(tmpdir(), 'gesso-bodies-'))
  const spool = createSpool({
    directory,
    memoryBytes: mebibyte,
    budgetBytes: 4_096 * mebibyte,
    ...options.spool,
  })
  const server = Fastify({ forceCloseConnections: true })
  readBodies(server, {
    limitBytes: options.limitBytes ?? 64 * mebibyte,
    budgetBytes: options.budgetBytes ?? 256 * mebibyte,
    spool,
    uploads: options.uploads ?? { maxImageBytes: 50 * mebibyte, maxImages: 16 },
  })
  server.setErrorHandler((error, request, reply) => {
    const { status, headers, body } = toHttpError(error, request.id)
    return reply.code(status).headers(headers).send(body)
  })
  server.post('/json', async (request) => describe(request.body))
  server.post('/form', { config: { multipart: true } }, async (request) => describe(request.body))
  server.get('/rss', async () => process.memoryUsage.rss())
  register(server)
  await server.listen({ host: '127.0.0.1', port: 0 })
  return {
    url: `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    server,
    spool,
    files: () =>
      existsSync(directory)
        ? readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
            .length
        : 0,
    async [Symbol.asyncDispose]() {
      await server.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** The value with `{ sizeBytes, sha256 }` for each file. */
async function describe(value: unknown): Promise<unknown> {
  if (value instanceof MultipartBody) {
    const fields = value.parts.flatMap((part) => ('text' in part ? [[part.name, part.text]] : []))
    const files = value.parts.filter((part) => 'file' in part)
    return { fields, files: await Promise.all(files.map(describe)) }
  }
  if (isSpooledFile(value)) {
    const hash = createHash('sha256')
    for await (const chunk of value.stream()) hash.update(chunk)
    return { sizeBytes: value.sizeBytes, sha256: hash.digest('hex') }
  }
  if (Array.isArray(value)) return Promise.all(value.map(describe))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(async ([key, inner]) => [key, await describe(inner)])
  return Object.fromEntries(await Promise.all(entries))
}

if (import.meta.main) process.stdout.write(`${(await openBodyServer()).url}\n`)
