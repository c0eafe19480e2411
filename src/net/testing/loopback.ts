/**
 * Real servers on loopback addresses for the tests of this folder: an HTTP one that remembers who came, and
 * a bare TCP one that may say anything.
 */
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'

export interface LoopbackServer {
  port: number
  /** The server at 127.0.0.1, whatever else it listens on. */
  origin: string
  close(): Promise<void>
}

export interface LoopbackHttpServer extends LoopbackServer {
  /** Every request that arrived. */
  seen: IncomingMessage[]
  /** Every connection that was made, with or without a request. */
  connections: Socket[]
}

/** An HTTP server on a free port of `host`. */
export async function serveHttp(answer: RequestListener, host = '127.0.0.1'): Promise<LoopbackHttpServer> {
  const seen: IncomingMessage[] = []
  const connections: Socket[] = []
  const server = createServer((request, response) => {
    seen.push(request)
    answer(request, response)
  })
  server.on('connection', (socket) => connections.push(socket))
  return { seen, connections, ...(await listening(server, host, () => server.closeAllConnections())) }
}

/** A TCP server on a free port of 127.0.0.1 that behaves as told once a client has spoken. */
export async function serveTcp(behave: (socket: Socket) => void): Promise<LoopbackServer> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => behave(socket))
  })
  return listening(server, '127.0.0.1', () => {
    for (const socket of sockets) socket.destroy()
  })
}

async function listening(server: Server, host: string, hangUp: () => void): Promise<LoopbackServer> {
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      hangUp()
      await closed
    },
  }
}
