import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import {
  closeOpened,
  drip,
  failure,
  fetcher,
  openGuardedFetch,
  serve,
  serveRaw,
} from './testing/fetch-world.ts'

afterEach(closeOpened)

const limits = { maxBytes: 100_000, deadlineMs: 400 }

describe('hostile servers', () => {
  test.each([
    ['never answers', () => {}],
    ['sends headers for ever', drip('HTTP/1.1 200 OK\r\n', 'x-a: 1\r\n')],
    ['sends a byte at a time', drip('HTTP/1.1 200 OK\r\ncontent-length: 90000\r\n\r\n', 'x')],
    ['sends interim answers for ever', drip('', 'HTTP/1.1 103 Early Hints\r\n\r\n')],
    ['never ends its status line', drip('HTTP/1.1 200 ', 'O')],
    [
      'sends the sizes of chunks for ever',
      drip('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1', ';x=y'),
    ],
    ['sends chunks for ever', drip('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', '1\r\nx\r\n')],
  ])('one that %s is left at the deadline', async (_, behave: (socket: Socket) => void) => {
    const { origin } = await serveRaw(behave)
    const startedAt = performance.now()
    expect((await failure(fetcher()(origin, limits))).reason).toBe('timeout')
    expect(performance.now() - startedAt).toBeLessThan(8_000)
  })

  test('a name that does not resolve in time is left at the deadline', async () => {
    const fetch = fetcher({ resolve: () => new Promise(() => {}) })
    expect((await failure(fetch('http://slow.test/', limits))).reason).toBe('timeout')
  })

  test.each([
    ['announces too much', 'content-length: 100001', 1],
    ['sends too much in chunks', 'transfer-encoding: chunked', 400],
    ['sends too much until it closes', 'connection: close', 400],
  ])('one that %s is cut off, and its socket closed', async (_, header, blocks) => {
    const block = Buffer.alloc(1_024, 'x')
    const chunked = header.includes('chunked')
    let closed = Promise.resolve<unknown>(undefined)
    const { origin } = await serveRaw((socket) => {
      closed = new Promise((resolve) => socket.on('close', resolve))
      socket.write(`HTTP/1.1 200 OK\r\n${header}\r\n\r\n`)
      for (let i = 0; i < blocks; i++) socket.write(chunked ? `400\r\n${block}\r\n` : block)
    })
    expect((await failure(fetcher()(origin, { ...limits, deadlineMs: 5_000 }))).reason).toBe('too_large')
    const failedAt = performance.now()
    await closed
    expect(performance.now() - failedAt).toBeLessThan(4_000)
  })

  test('a body of exactly the limit is taken, announced or not', async () => {
    const body = Buffer.alloc(100_000, 'abc')
    const { origin } = await serve((request, response) => {
      if (request.url === '/announced') response.setHeader('content-length', body.length)
      for (let at = 0; at < body.length; at += 7_000) response.write(body.subarray(at, at + 7_000))
      response.end()
    })
    for (const path of ['/announced', '/chunked']) {
      expect((await fetcher()(origin + path, limits)).bytes.equals(body)).toBe(true)
      expect((await failure(fetcher()(origin + path, { maxBytes: 99_999 }))).reason).toBe('too_large')
    }
  })

  test.each(['gzip', 'br', 'GZIP', 'gzip, gzip, gzip, gzip, gzip, gzip'])(
    'one that answers in %s is refused',
    async (encoding) => {
      const bomb = gzipSync(Buffer.alloc(1_000_000))
      const { origin } = await serve((_, response) =>
        response.setHeader('content-encoding', encoding).end(bomb),
      )
      expect((await failure(fetcher()(origin, limits))).reason).toBe('encoding')
    },
  )

  test.each([
    ['content-length: 100', 'x'.repeat(99)],
    ['transfer-encoding: chunked', '5\r\nxxxxx\r\n5\r\nxx'],
  ])('one that breaks off (%s) gives no half a file', async (header, body) => {
    const { origin } = await serveRaw((socket) => socket.end(`HTTP/1.1 200 OK\r\n${header}\r\n\r\n${body}`))
    const error = await failure(fetcher()(origin, { ...limits, deadlineMs: 5_000 }))
    expect(error.reason).toBe('connection')
    expect(error.message).not.toContain('xx')
  })

  test.each([204, 206, 304, 400, 500])('status %i is no file', async (status) => {
    const { origin } = await serve((_, response) => response.writeHead(status).end())
    expect(await failure(fetcher()(origin, limits))).toMatchObject({ reason: 'status', status })
  })

  test('one that speaks no HTTP, or is not there, cannot be reached', async () => {
    const { origin } = await serveRaw((socket) => socket.end('220 mail.test ESMTP secret banner\r\n'))
    const spoken = await failure(fetcher()(origin, limits))
    expect(spoken.reason).toBe('connection')
    expect(spoken.message).not.toContain('secret')
    const gone = await serve(() => {})
    await gone.close()
    expect((await failure(fetcher()(gone.origin, limits))).reason).toBe('connection')
  })

  test('disposing ends what is under way', async () => {
    const { origin } = await serve(() => {})
    const guarded = openGuardedFetch()
    const fetching = failure(guarded.fetch(origin))
    await sleep(50)
    await guarded[Symbol.asyncDispose]()
    expect((await fetching).reason).toBe('connection')
  })

  test.each([
    ['headers without end', `HTTP/1.1 200 OK\r\n${'x-a: b\r\n'.repeat(50_000)}`],
    ['one endless header', `HTTP/1.1 200 OK\r\nx-a: ${'b'.repeat(500_000)}`],
    [
      'endless trailers',
      `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n${'x-a: b\r\n'.repeat(50_000)}`,
    ],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 50\r\n\r\nxxxxx'],
    ['a negative length', 'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\nxxxxx'],
    [
      'a length and chunks',
      'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n5\r\nxxxxx\r\n0\r\n\r\n',
    ],
    [
      'another protocol',
      'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nxxxxx',
    ],
  ])('one that sends %s gives no file, and nothing of what it said', async (_, said) => {
    const { origin } = await serveRaw((socket) => socket.write(said))
    const error = await failure(fetcher()(origin, { ...limits, deadlineMs: 5_000 }))
    expect(error.reason).toBe('connection')
    expect(error.message).not.toMatch(/xxx|bbb/)
  })

  test('one that sends more than it announced gives what it announced, and the rest to nobody', async () => {
    const secondAnswer = 'HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison'
    let connections = 0
    const { origin } = await serveRaw((socket) => {
      connections += 1
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789${secondAnswer.repeat(1_000)}`)
    })
    const fetch = fetcher()
    for (let i = 0; i < 3; i++) expect((await fetch(origin)).bytes.toString()).toBe('0123456789')
    expect(connections).toBe(3)
  })

  test('one that redirects with an endless body is not read, and its socket closed', async () => {
    const closed = Promise.withResolvers<void>()
    const target = await serve((_, response) => response.end('the file'))
    const { origin } = await serveRaw((socket) => {
      socket.on('close', () => closed.resolve())
      drip(
        `HTTP/1.1 302 Found\r\nlocation: ${target.origin}/\r\ntransfer-encoding: chunked\r\n\r\n`,
        '1\r\nx\r\n',
      )(socket)
    })
    expect((await fetcher()(origin)).bytes.toString()).toBe('the file')
    await closed.promise
  })

  test('one that is left at the deadline has its socket closed', async () => {
    const closed = Promise.withResolvers<void>()
    const { origin } = await serveRaw((socket) => {
      socket.on('close', () => closed.resolve())
      drip('HTTP/1.1 200 OK\r\ncontent-length: 90000\r\n\r\n', 'x')(socket)
    })
    expect((await failure(fetcher()(origin, limits))).reason).toBe('timeout')
    await closed.promise
  })

  test('one that lies about the length holds no memory for what it only announces', async () => {
    const { origin } = await serveRaw((socket) =>
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 52428800\r\n\r\nx'),
    )
    const before = process.memoryUsage().rss
    const fetch = fetcher()
    const errors = await Promise.all(Array.from({ length: 8 }, () => failure(fetch(origin))))
    expect(errors.map((error) => error.reason)).toEqual(Array(8).fill('connection'))
    expect(process.memoryUsage().rss - before).toBeLessThan(120 * 1024 * 1024)
  })
})
