/**
 * A vendor's server on 127.0.0.1, as far as all vendors are alike: it records what reaches it, takes its time,
 * and misbehaves on demand. What a vendor says on the wire is the business of the file named after it.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { UpstreamScenario, WorkScenario } from '../../src/providers/testing/conformance.ts'
import { type RecordedRequest, recordRequest } from './record-request.ts'

export type { RecordedRequest } from './record-request.ts'

export interface FakeAnswer {
  status: number
  headers?: Record<string, string>
  /** Bytes go out as they are, anything else as JSON. */
  body: unknown
}

/** The vendor's own side of a fake. */
export interface FakeVendor {
  /** Answers a well-behaved request. */
  answer(request: RecordedRequest): Promise<FakeAnswer>
  /** The vendor's own way to play a scenario on this request; '503' and '429' are asked of questions too. */
  fail(scenario: StatusScenario, request: RecordedRequest): FakeAnswer | Promise<FakeAnswer>
  /** Does this request ask for pictures? Scenarios are played on these only. */
  isSubmission(request: RecordedRequest): boolean
  /** Does it ask how accepted work is going? For vendors that answer later. */
  isQuestion?(request: RecordedRequest): boolean
  /** Work that was held back by `pending` may now be finished. */
  release?(): void
}

/** What the vendor's own side plays: a failure in its own words, or work of a kind. */
export type StatusScenario =
  | 'moderation'
  | '401'
  | '402'
  | '429'
  | '500'
  | '503'
  | 'empty'
  | Exclude<WorkScenario, 'poll trouble'>

export interface FakeUpstream extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`, without a path. */
  readonly origin: string
  /** The base URL to configure, version path included. */
  readonly url: string
  /** Everything that arrived, oldest first. */
  readonly requests: RecordedRequest[]
  /** What arrived at the other host to which the scenario `redirect` points. */
  readonly foreignRequests: RecordedRequest[]
  /** How many requests asked for pictures. */
  submissions(): number
  /**
   * Changes the behaviour for the next `times` submissions, or for good without `times`. An answer instead of a
   * scenario is given word for word.
   */
  play(scenario: UpstreamScenario | WorkScenario | FakeAnswer, times?: number): Promise<void>
  close(): Promise<void>
}

/** How a fake behaves beside what is played on it. */
export interface FakeUpstreamOptions {
  /** Where it listens on 127.0.0.1; absent or 0 = any free port. */
  port?: number
  /** Passes before each answer to a submission. */
  latencyMs?: number
  /** Waited for before each answer to a submission. */
  hold?(): Promise<unknown>
  /** These submissions are answered with a 500; the first is 1. */
  failCalls?: readonly number[]
  /** Every so-many-th submission is answered with a 500. */
  failEvery?: number
}

/** Starts the server. Rejects where its port is taken. */
export async function startFakeUpstream(
  vendor: (origin: string) => FakeVendor,
  options: FakeUpstreamOptions & { basePath: string },
): Promise<FakeUpstream> {
  const requests: RecordedRequest[] = []
  const foreignRequests: RecordedRequest[] = []
  let scenario: Scenario = 'ok'
  let troubles = 0
  let timesLeft = Number.POSITIVE_INFINITY
  let submissions = 0
  const foreign = await listen(async (message, response) => {
    foreignRequests.push(await recordRequest(message))
    response.end('{}')
  })
  const main = await listen(async (message, response) => {
    const request = await recordRequest(message)
    requests.push(request)
    const isSubmission = own.isSubmission(request)
    let playing: Scenario = isSubmission && timesLeft > 0 ? scenario : 'ok'
    if (isSubmission) {
      timesLeft -= 1
      submissions += 1
      if (playing === 'ok' && isDoomed(submissions, options)) playing = '500'
    }
    if (playing === 'poll trouble') {
      troubles = 2
      playing = 'ok'
    } else if (troubles > 0 && own.isQuestion?.(request)) {
      playing = troubles === 2 ? '503' : '429'
      troubles -= 1
    }
    if (isSubmission && options.latencyMs) await sleep(options.latencyMs)
    if (isSubmission) await options.hold?.()
    await act(playing, { own, request, response, elsewhere: foreign.origin })
  }, options.port).catch(async (error: unknown) => {
    await foreign.close()
    throw error
  })
  const own = vendor(main.origin)
  const close = async () => {
    await Promise.all([main.close(), foreign.close()])
  }
  return {
    origin: main.origin,
    url: `${main.origin}${options.basePath}`,
    requests,
    foreignRequests,
    submissions: () => submissions,
    async play(next, times = Number.POSITIVE_INFINITY) {
      own.release?.()
      scenario = next
      timesLeft = times
      if (next === 'refused') await main.close()
      else await main.open()
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

function isDoomed(submission: number, { failCalls = [], failEvery }: FakeUpstreamOptions): boolean {
  return failCalls.includes(submission) || (failEvery !== undefined && submission % failEvery === 0)
}

type Scenario = UpstreamScenario | WorkScenario | FakeAnswer

interface Scene {
  own: FakeVendor
  request: RecordedRequest
  response: ServerResponse
  elsewhere: string
}

async function act(
  scenario: Exclude<Scenario, 'poll trouble'>,
  { own, request, response, elsewhere }: Scene,
): Promise<void> {
  if (typeof scenario === 'object') return send(response, scenario)
  switch (scenario) {
    case 'ok':
      return send(response, await own.answer(request))
    case 'silent':
    case 'refused':
      return
    case 'garbage':
      return send(response, {
        status: 200,
        headers: { 'content-type': 'text/html' },
        body: Buffer.from(`<html>It works! ${JSON.stringify(request)}</html>`),
      })
    case 'redirect':
      return send(response, {
        status: 307,
        headers: { location: `${elsewhere}${request.path}` },
        body: 'moved',
      })
    case 'truncated': {
      const bytes = bodyBytes((await own.answer(request)).body)
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length })
      response.write(bytes.subarray(0, bytes.length >> 1), () => response.destroy())
      return
    }
    case 'oversize':
      return overflow(response)
    default:
      return send(response, await own.fail(scenario, request))
  }
}

/** Sent again and again, so that the memory of the process is not the fake's doing. */
const piece = Buffer.alloc(64 * 1024, 'A')

/** A picture without end, or rather of 300 MB, because tests must stop by themselves. */
async function overflow(response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/json' })
  await pipeline(function* () {
    yield '{"created":1,"data":[{"b64_json":"'
    for (let sent = 0; sent < 300 * 1024 * 1024; sent += piece.length) yield piece
    yield '"}]}'
  }, response)
}

function send(response: ServerResponse, answer: FakeAnswer): void {
  const bytes = bodyBytes(answer.body)
  const headers = { 'content-type': 'application/json', 'content-length': bytes.length, ...answer.headers }
  response.writeHead(answer.status, headers).end(bytes)
}

function bodyBytes(body: unknown): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body))
}

interface Listener {
  origin: string
  /** Listens again, on the same port. */
  open(): Promise<void>
  /** Stops at once, connections included. */
  close(): Promise<void>
}

async function listen(
  handle: (message: IncomingMessage, response: ServerResponse) => Promise<void>,
  wishedPort = 0,
): Promise<Listener> {
  const server = createServer((message, response) => {
    // A client that hangs up in the middle is part of the play.
    handle(message, response).catch(() => response.destroy())
  })
  server.listen(wishedPort, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    async open() {
      if (server.listening) return
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
    },
    async close() {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
