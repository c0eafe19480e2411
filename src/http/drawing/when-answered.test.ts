/** What counts as an answer that left whole: real connections, well read, half read and not read at all. */
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { whenAnswered } from './when-answered.ts'

/** Far more than the buffers of a connection hold. */
const manyBytes = 24 * 1024 * 1024
let answered: string[] = []
let closed: string[] = []
/** What the server does with a connection whose answer is under way. */
let meanwhile: (cut: () => void) => void = () => undefined

const server = Fastify()
server.get<{ Params: { name: string }; Querystring: { bytes: string; as?: 'bytes' } }>(
  '/:name',
  async (request, reply) => {
    const { name } = request.params
    const bytes = Number(request.query.bytes)
    reply.raw.once('close', () => closed.push(name))
    if (name === 'left') await once(request.raw.socket, 'close')
    whenAnswered(
      { request, reply },
      { onAnswered: () => answered.push(name), onLost: () => answered.push(`${name} lost`) },
    )
    meanwhile(() => reply.raw.destroy())
    if (name === 'failed') throw new Error('no')
    if (request.query.as === 'bytes') return reply.send(Buffer.alloc(bytes))
    const piece = Buffer.alloc(64 * 1024)
    const pieces = (function* () {
      for (let sent = 0; sent < bytes; sent += piece.length) yield piece.subarray(0, bytes - sent)
    })()
    return reply.header('content-length', bytes).send(Readable.from(pieces, { objectMode: false }))
  },
)
await server.listen({ host: '127.0.0.1', port: 0 })
const { port } = server.server.address() as AddressInfo
const url = `http://127.0.0.1:${port}`
afterAll(() => server.close())
beforeEach(() => {
  answered = []
  closed = []
  meanwhile = () => undefined
})

test('an answer that was read to its end, large or small, on a connection that stays and on one that ends', async () => {
  for (const connection of ['keep-alive', 'close']) {
    const agent = new Agent({ keepAlive: connection === 'keep-alive', maxSockets: 1 })
    for (const [name, bytes] of [
      ['small', 10],
      ['large', manyBytes],
      ['failed', 0],
    ]) {
      const [response] = await once(request(`${url}/${name}?bytes=${bytes}`, { agent }).end(), 'response')
      for await (const _ of response);
    }
    agent.destroy()
  }
  await expect.poll(() => answered).toEqual(['small', 'large', 'failed', 'small', 'large', 'failed'])
  await sleep(20)
  expect(answered).toHaveLength(6)
})

test('many answers on one connection leave nothing behind', async () => {
  const warnings: Error[] = []
  const onWarning = (warning: Error) => void warnings.push(warning)
  process.on('warning', onWarning)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  for (let made = 0; made < 15; made += 1) {
    const [response] = await once(request(`${url}/one?bytes=10`, { agent }).end(), 'response')
    for await (const _ of response);
  }
  await sleep(20)
  agent.destroy()
  process.off('warning', onWarning)
  expect([answered.length, warnings]).toEqual([15, []])
})

test('an answer that waits in buffers is lost with a client that resets, unless it went on to its next request', async () => {
  const ask = (name: string) => `GET /${name}?bytes=100000 HTTP/1.1\r\nHost: a\r\n\r\n`
  const socket = connect(port, '127.0.0.1')
  socket.pause()
  socket.write(ask('buffered'))
  await expect.poll(() => closed).toEqual(['buffered'])
  socket.destroy()
  await expect.poll(() => answered).toEqual(['buffered', 'buffered lost'])

  const next = connect(port, '127.0.0.1')
  next.pause()
  next.write(ask('first'))
  await expect.poll(() => answered).toContain('first')
  next.write(ask('second'))
  await expect.poll(() => answered).toContain('second')
  next.resetAndDestroy()
  await expect.poll(() => answered.slice(2)).toEqual(['first', 'second', 'second lost'])
})

const ways = [
  ['as a stream', ''],
  ['as bytes', '&as=bytes'],
] as const

test.each(ways)('no answer: one that its client stopped to read in the middle, sent %s', async (_, as) => {
  const asked = request(`${url}/half?bytes=${manyBytes}${as}`, { agent: false }).end()
  const [response] = await once(asked, 'response')
  await once(response, 'data')
  asked.destroy()
  await expect.poll(() => closed).toEqual(['half'])
  await sleep(20)
  expect(answered).toEqual([])
})

test.each(ways)(
  'no answer: one that nobody read before the server gave the connection up, sent %s',
  async (_, as) => {
    meanwhile = (cut) => void setTimeout(cut, 50)
    const socket = connect(port, '127.0.0.1')
    socket.pause()
    socket.write(`GET /unread?bytes=${manyBytes}${as} HTTP/1.1\r\nHost: a\r\n\r\n`)
    await expect.poll(() => closed).toEqual(['unread'])
    socket.destroy()
    await sleep(20)
    expect(answered).toEqual([])
  },
)

test('no answer: one for a client that had left before', async () => {
  const asked = request(`${url}/left?bytes=10`, { agent: false })
    .end()
    .on('error', () => undefined)
  await sleep(20)
  asked.destroy()
  await expect.poll(() => closed).toEqual(['left'])
  await sleep(20)
  expect(answered).toEqual([])
})
