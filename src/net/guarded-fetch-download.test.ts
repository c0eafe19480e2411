import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { closeOpened, drip, failure, openGuardedFetch, serve, serveRaw } from './testing/fetch-world.ts'

afterEach(closeOpened)

const mebibyte = 1024 * 1024

/** Serves `sizeBytes` in blocks and no faster than they are taken; `closed` when the connection is gone. */
async function serveBlocks(sizeBytes: number, block = Buffer.alloc(65_536, 'gesso')) {
  const closed = Promise.withResolvers<void>()
  const sent = { bytes: 0 }
  const blocks = function* () {
    for (; sent.bytes < sizeBytes; sent.bytes += block.length) yield block
  }
  const server = await serve((request, response) => {
    request.socket.on('close', () => closed.resolve())
    // A client that leaves in the middle is part of the play.
    pipeline(Readable.from(blocks(), { highWaterMark: 1 }), response).catch(() => {})
  })
  return { ...server, sent, closed: closed.promise }
}

/** A server that says `head` and `body`, then closes; or keeps silent, where `stays`. */
async function serveOnce(answer: string, stays = false) {
  const closed = Promise.withResolvers<void>()
  const server = await serveRaw((socket: Socket) => {
    socket.on('close', () => closed.resolve())
    if (stays) socket.write(answer)
    else socket.end(answer)
  })
  return { ...server, closed: closed.promise }
}

describe('a download', () => {
  test('hands over what arrives, with what the server claims, and returns what the reader returns', async () => {
    const { origin } = await serve((_, response) =>
      response.setHeader('content-type', 'image/png').setHeader('content-length', 8).end('pictures'),
    )
    const result = await openGuardedFetch().download(`${origin}/a.png#x`, {}, async (body, about) => ({
      bytes: await buffer(body),
      about,
    }))
    expect(result).toEqual({
      bytes: Buffer.from('pictures'),
      about: { announcedBytes: 8, contentType: 'image/png', finalUrl: `${origin}/a.png` },
    })
  })

  test('announces no length where the server does not', async () => {
    const { origin } = await serveBlocks(65_536)
    const about = await openGuardedFetch().download(origin, {}, async (_, about) => about)
    expect(about.announcedBytes).toBeUndefined()
  })

  test('holds only what its reader has not come to yet, and is taken no faster than that', async () => {
    const { origin, sent } = await serveBlocks(96 * mebibyte)
    let readBytes = 0
    let mostUnread = 0
    await openGuardedFetch().download(origin, { maxBytes: 96 * mebibyte }, async (body) => {
      let pauses = 0
      for await (const chunk of body) {
        readBytes += chunk.length
        if (readBytes > pauses * 24 * mebibyte) {
          pauses += 1
          await sleep(100)
          mostUnread = Math.max(mostUnread, sent.bytes - readBytes)
        }
      }
    })
    expect(readBytes).toBe(96 * mebibyte)
    // What the system keeps in the two sockets counts, too.
    expect(mostUnread).toBeLessThan(20 * mebibyte)
  })

  test('larger than allowed ends at the limit, and the reader never holds more', async () => {
    const { origin, closed } = await serveBlocks(10 * mebibyte)
    let read = 0
    const downloading = openGuardedFetch().download(origin, { maxBytes: 100_000 }, async (body) => {
      for await (const chunk of body) read += chunk.length
    })
    const error = await failure(downloading)
    expect(error).toMatchObject({ reason: 'too_large', code: 'invalid_image_request' })
    expect(error.message).toContain('larger than 100000 bytes')
    expect(read).toBeLessThanOrEqual(100_000)
    await closed
  })

  test.each([
    ['announced to be too large', 'HTTP/1.1 200 OK\r\ncontent-length: 100001\r\n\r\n', 'too_large'],
    ['compressed', 'HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n', 'encoding'],
    ['absent', 'HTTP/1.1 404 Not Found\r\n\r\n', 'status'],
    ['empty by its status', 'HTTP/1.1 204 No Content\r\n\r\n', 'status'],
    ['nowhere', 'HTTP/1.1 302 Found\r\n\r\n', 'redirect'],
    ['at a forbidden place', 'HTTP/1.1 302 Found\r\nlocation: http://127.0.0.2/\r\n\r\n', 'address'],
  ])('of what is %s never gets to the reader', async (_, answer, reason) => {
    const { origin, closed } = await serveOnce(answer, true)
    let asked = false
    const downloading = openGuardedFetch().download(origin, { maxBytes: 100_000 }, async () => {
      asked = true
    })
    expect((await failure(downloading)).reason).toBe(reason)
    expect(asked).toBe(false)
    // A body of no bytes was read to its end; its connection may serve again.
    if (reason !== 'status') await closed
  })

  test('that fails counts as the caller wishes', async () => {
    const { origin } = await serveOnce('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nxxx')
    const blame = { code: 'upstream_failed', attribution: 'upstream' } as const
    const error = await failure(openGuardedFetch().download(origin, { blame }, buffer))
    expect(error).toMatchObject({ ...blame, reason: 'connection' })
  })
})

describe('the reader of a download', () => {
  test('that fails is told of unchanged, and the connection closed', async () => {
    const { origin, closed } = await serveBlocks(100 * mebibyte)
    const full = new Error('no space left on device')
    const guarded = openGuardedFetch()
    await expect(
      guarded.download(origin, {}, async (body) => {
        for await (const _ of body) throw full
      }),
    ).rejects.toBe(full)
    await closed
    await expect(guarded.download(origin, {}, () => Promise.reject(full))).rejects.toBe(full)
  })

  test('that stops early, or does not begin, is content, and the connection closed', async () => {
    for (const readsOne of [true, false]) {
      const { origin, closed } = await serveBlocks(100 * mebibyte)
      const downloading = openGuardedFetch().download(origin, {}, async (body) => {
        if (readsOne) for await (const _ of body) break
        return 'enough'
      })
      expect(await downloading).toBe('enough')
      await closed
    }
  })

  test('cannot take half a file for a whole one, whatever it makes of the error', async () => {
    const half = `HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n${'x'.repeat(99)}`
    for (const afterwards of [() => 'fine', () => Promise.reject(new Error('a consequence'))]) {
      const { origin } = await serveOnce(half)
      const downloading = openGuardedFetch().download(origin, {}, async (body) => {
        await buffer(body).catch(() => undefined)
        return afterwards()
      })
      expect((await failure(downloading)).reason).toBe('connection')
    }
  })

  test('that begins only after the connection has broken is told so, and the process lives', async () => {
    const { origin, closed } = await serveOnce('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nx')
    const downloading = openGuardedFetch().download(origin, {}, async (body) => {
      await closed
      await sleep(50)
      return buffer(body)
    })
    expect((await failure(downloading)).reason).toBe('connection')
  })

  test('is told of the deadline by the body it reads', async () => {
    const { origin } = await serveRaw(drip('HTTP/1.1 200 OK\r\ncontent-length: 90000\r\n\r\n', 'x'))
    let told: unknown
    const downloading = openGuardedFetch().download(origin, { deadlineMs: 300 }, async (body) => {
      told = await failure(buffer(body))
      throw told
    })
    const error = await failure(downloading)
    expect(error.reason).toBe('timeout')
    expect(error).toBe(told)
  })

  test('that is still busy at the deadline is waited for, while the connection is closed', async () => {
    const { origin, closed } = await serveBlocks(100 * mebibyte)
    let isDone = false
    const downloading = openGuardedFetch().download(origin, { deadlineMs: 300 }, async (body) => {
      await closed
      isDone = true
      return buffer(body)
    })
    expect((await failure(downloading)).reason).toBe('timeout')
    expect(isDone).toBe(true)
  })

  test('that has read everything may take longer than the deadline', async () => {
    const { origin } = await serve((_, response) => response.end('pictures'))
    const result = await openGuardedFetch().download(origin, { deadlineMs: 1_000 }, async (body) => {
      const bytes = await buffer(body)
      await sleep(1_200)
      return bytes.toString()
    })
    expect(result).toBe('pictures')
  })

  test('is told the reason of the signal', async () => {
    const { origin, closed } = await serveBlocks(100 * mebibyte)
    const gone = new Error('the caller has left')
    const controller = new AbortController()
    const downloading = openGuardedFetch().download(origin, { signal: controller.signal }, async (body) => {
      for await (const _ of body) controller.abort(gone)
    })
    await expect(downloading).rejects.toBe(gone)
    await closed
  })
})
