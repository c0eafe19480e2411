/**
 * Stands before a fake and passes everything on, and the events of a stream one by one: with a pause before each, or
 * only the first few before the line is cut.
 */
import { once } from 'node:events'
import { createServer, request as openRequest, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FakeUpstream } from './fake-upstream.ts'

export interface RelayOptions {
  /** Passes before each event of a stream. */
  eventDelayMs?: number
  /** The line is cut after so many events of a stream. */
  cutAfterEvents?: number
}

/** The fake as it is seen through the relay. */
export async function relayEvents(fake: FakeUpstream, options: RelayOptions): Promise<FakeUpstream> {
  const server = createServer((request, response) => {
    const { method, url = '/', headers } = request
    const onward = openRequest(new URL(url, fake.origin), { method, headers }, (answer) => {
      // A stream that is cut has no length.
      const { 'content-length': _, ...others } = answer.headers
      response.writeHead(answer.statusCode ?? 500, others)
      const isStream = answer.headers['content-type']?.startsWith('text/event-stream')
      if (!isStream) answer.pipe(response)
      else void buffer(answer).then((events) => passOn(events, response, options))
    })
    onward.on('error', () => response.destroy())
    request.pipe(onward)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = async () => {
    await fake.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return {
    ...fake,
    origin,
    url: fake.url.replace(fake.origin, origin),
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function passOn(events: Buffer, response: ServerResponse, options: RelayOptions): Promise<void> {
  const { eventDelayMs = 0, cutAfterEvents = Number.POSITIVE_INFINITY } = options
  const pieces = events.toString().split(/(?<=\n\n)/)
  for (const [index, piece] of pieces.entries()) {
    if (index === cutAfterEvents) break
    if (eventDelayMs > 0) await sleep(eventDelayMs)
    // Waits until it is on its way: what is cut next must not take it along.
    await new Promise<void>((resolve) => response.write(piece, () => resolve()))
  }
  if (cutAfterEvents < pieces.length) response.destroy()
  else response.end()
}
