import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, expect, test } from 'vitest'
import { cutOffSlowReaders, type ReadingPace } from './slow-readers.ts'

// More than the kernel takes off the server's hands.
const answerBytes = 20_000_000

let server: FastifyInstance
afterEach(() => server.close())

async function listen(pace: ReadingPace): Promise<number> {
  server = Fastify({ forceCloseConnections: true })
  cutOffSlowReaders(server, pace)
  server.get('/', async () => Buffer.alloc(answerBytes, 'x'))
  await server.listen({ port: 0, host: '127.0.0.1' })
  return (server.server.address() as AddressInfo).port
}

/** Takes `bytes` each 20 ms; answers what it got when the connection ended, or undefined where it was kept open. */
async function drip(port: number, bytes: number, forMs: number): Promise<number | undefined> {
  const socket: Socket = connect(port, '127.0.0.1')
  let received = 0
  socket.on('readable', () => undefined).on('error', () => undefined)
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  const timer = setInterval(() => {
    received += socket.read(bytes)?.length ?? 0
  }, 20)
  const { socket: served } = await firstConnection()
  const end = new Promise<number>((resolve) => served.once('close', () => resolve(received)))
  const open = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), forMs))
  const outcome = await Promise.race([end, open])
  clearInterval(timer)
  socket.destroy()
  return outcome
}

async function firstConnection(): Promise<{ socket: Socket }> {
  const [socket] = await once(server.server, 'connection')
  return { socket }
}

test('a reader that drips is cut at the deadline of its answer, though it never stands still', async () => {
  const port = await listen({ stallTimeoutMs: 1_000, bytesPerSecond: 100_000_000 })
  expect(await drip(port, 1_000, 4_000)).toBeLessThan(answerBytes)
})

test('a reader that drips fast enough is left alone', async () => {
  const port = await listen({ stallTimeoutMs: 1_000, bytesPerSecond: 1_000_000 })
  expect(await drip(port, 60_000, 2_000)).toBeUndefined()
})
