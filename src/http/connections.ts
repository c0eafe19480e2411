/**
 * The connections beneath the framework: how long they may be idle or send, when they end, and what a client is told
 * that sends something which is no request.
 */
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { answerBrokenRequest, answerUnknownExpectation } from './broken-requests.ts'
import type { HttpSettings } from './settings.ts'

/** Answers whose client waits for `100 Continue` before it sends the body. */
const awaitingContinue = new WeakSet<ServerResponse>()

/** Node's server, with every time limit on a request that arrives. */
export function createNodeServer(settings: HttpSettings, onRequest: RequestListener): Server {
  const server = createServer(
    {
      requestTimeout: settings.request_timeout_ms,
      connectionsCheckingInterval: Math.min(5_000, Math.ceil(settings.request_timeout_ms / 4)),
      keepAliveTimeout: settings.keep_alive_timeout_ms,
      // Told in the usual error shape, where every request begins.
      requireHostHeader: false,
    },
    onRequest,
  )
  const answers = new WeakMap<Duplex, ServerResponse>()
  server.on('request', (request, response) => answers.set(request.socket, response))
  server.on('checkContinue', (request, response) => {
    awaitingContinue.add(response)
    server.emit('request', request, response)
  })
  server.on('checkExpectation', (_request, response) => answerUnknownExpectation(response))
  server.on('clientError', (error, socket) => {
    const answer = answers.get(socket)
    const isOurs = answer && !answer.writableFinished && (answer.headersSent || answer.req.complete)
    // In the middle of an answer, or before one that is due, a second one would be taken for it.
    if (isOurs) socket.destroy()
    else answerBrokenRequest(error, socket)
  })
  return server
}

/** Asks for the body only where it is about to be read: a caller that is refused does not send it. */
export function continueLazily(server: FastifyInstance): void {
  server.addHook('preParsing', async (request, reply, payload) => {
    if (request.method === 'POST' && awaitingContinue.delete(reply.raw)) reply.raw.writeContinue()
    return payload
  })
}

/** What a client may still take to read its answer after the last generation has ended. */
const readingGraceMs = 5_000
/** How often a stopping server looks for connections that have become idle. */
const idleCheckMs = 50

/**
 * Ends connections with their answer where they would do harm: a body that nobody read would have to be read to its
 * end, and while stopping a connection kept for a next request would keep the process alive. Those whose clients do
 * not read are cut in the end.
 */
export function endConnections(server: FastifyInstance, settings: HttpSettings): void {
  let stopping = false
  const unused = unusedConnections(server.server)
  server.addHook('preClose', async () => {
    stopping = true
    // An answer that was under way when the stop began may have promised to keep its connection.
    const idle = setInterval(() => {
      server.server.closeIdleConnections()
      // Node does not count these as idle: of browsers that connect ahead, and of checks that only knock.
      unused.end()
    }, idleCheckMs)
    const cut = setTimeout(
      () => server.server.closeAllConnections(),
      settings.stop_timeout_ms + readingGraceMs,
    )
    server.server.once('close', () => {
      clearInterval(idle)
      clearTimeout(cut)
    })
  })
  server.addHook('onSend', async (request, reply, payload) => {
    if (stopping || !request.raw.complete) reply.header('connection', 'close')
    return payload
  })
}

/** How long a client may take from its connection to its first request, while the server stops. */
const firstRequestMs = 1_000

/** The connections on which nothing was asked yet. */
function unusedConnections(server: Server): { end(): void } {
  const openedAtMs = new Map<Socket, number>()
  server.on('connection', (socket) => {
    openedAtMs.set(socket, performance.now())
    socket.once('close', () => openedAtMs.delete(socket))
  })
  server.on('request', ({ socket }) => openedAtMs.delete(socket))
  return {
    end() {
      const before = performance.now() - firstRequestMs
      for (const [socket, atMs] of openedAtMs) if (atMs <= before) socket.destroy()
    },
  }
}
