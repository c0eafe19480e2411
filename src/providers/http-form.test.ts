import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { serveHttp, serveTcp } from '../net/testing/loopback.ts'
import type { FormPart } from './form-body.ts'
import {
  answerOf,
  at,
  client,
  closeOpened,
  countedFile,
  expectClosed,
  failure,
  file,
  fileOf,
  megabyte,
  unknown,
  unsent,
} from './testing/form-sending.ts'

afterEach(closeOpened)

describe('a form', () => {
  it('arrives as it was given, in its order, with its exact length', async () => {
    const [first, second] = [randomBytes(300_000), randomBytes(10)]
    const prompt = 'zwei "Reiher"\r\n--gesso\r\nContent-Disposition: form-data; name="n"\r\n\r\n🦢'
    const received: unknown[] = []
    const origin = await at(
      serveHttp(async (request, response) => {
        const body = await buffer(request)
        expect(request.headers['content-length']).toBe(String(body.length))
        expect(request.headers).not.toHaveProperty('transfer-encoding')
        const headers = { 'content-type': request.headers['content-type'] ?? '' }
        for (const [name, value] of await new Response(new Uint8Array(body), { headers }).formData()) {
          if (typeof value === 'string') received.push([name, value])
          else received.push([name, value.name, value.type, Buffer.from(await value.arrayBuffer())])
        }
        response.end('{}')
      }),
    )
    const { status } = await client()(origin, [
      { ...fileOf(first), name: 'image[]' },
      { ...fileOf(Buffer.alloc(0)), name: 'image[]' },
      { ...fileOf(second), name: 'mask', filename: 'mask.webp', contentType: 'image/webp' },
      { name: 'prompt', value: prompt },
      { name: 'user', value: '' },
    ])
    expect(status).toBe(200)
    expect(received).toEqual([
      ['image[]', 'image.png', 'image/png', first],
      ['image[]', 'image.png', 'image/png', Buffer.alloc(0)],
      ['mask', 'mask.webp', 'image/webp', second],
      ['prompt', prompt],
      ['user', ''],
    ])
  })

  it('has a boundary that nobody can guess', async () => {
    const boundaries = new Set<string>()
    const origin = await at(
      serveHttp(async (request, response) => {
        boundaries.add(/boundary=([\w-]+)$/.exec(request.headers['content-type'] ?? '')?.[1] ?? '')
        await buffer(request)
        response.end('{}')
      }),
    )
    const post = client()
    for (let round = 0; round < 3; round += 1) await post(origin, [{ name: 'prompt', value: 'x' }])
    expect(boundaries.size).toBe(3)
    for (const boundary of boundaries) expect(boundary).toMatch(/^gesso-[0-9a-f]{48}$/)
  })

  const png = fileOf(Buffer.from('x'))
  it.each<FormPart>([
    { name: 'a"; filename="b', value: 'x' },
    { name: 'a\r\nX-Evil: 1', value: 'x' },
    { name: '', value: 'x' },
    { ...png, filename: 'a.png"\r\n' },
    { ...png, filename: '../a.png' },
    { ...png, contentType: 'image/png\r\nX-Evil: 1' },
  ])('with a word that could end its header is never sent: %j', async (part) => {
    let connections = 0
    const origin = await at(serveTcp(() => (connections += 1)))
    await expect(client()(origin, [part])).rejects.toThrow(TypeError)
    expect(connections).toBe(0)
  })

  it('is not taken faster than the other side reads, however many are under way', async () => {
    const origin = await at(serveTcp((socket) => socket.pause()))
    const stop = new AbortController()
    const files = Array.from({ length: 10 }, () => countedFile(50 * megabyte))
    const taken = () => files.reduce((sum, { seen }) => sum + seen.takenBytes, 0)
    const post = client()
    const calls = files.map(({ part }) => failure(post(origin, [part], { signal: stop.signal })))
    let before = -1
    while (taken() === 0 || taken() !== before) {
      before = taken()
      await sleep(150)
    }
    // What was taken lies in the kernel's buffers, at most a few megabytes per connection.
    for (const { seen } of files) expect(seen.takenBytes).toBeLessThan(25 * megabyte)
    stop.abort()
    for (const error of await Promise.all(calls)) expect(error).toMatchObject(unknown)
    await expectClosed(files.flatMap(({ seen }) => seen.streams))
  })

  it('leaves the connection fit for the next call', async () => {
    const sizes: number[] = []
    const server = serveHttp(async (request, response) => {
      sizes.push((await buffer(request)).length)
      response.end('{}')
    })
    const origin = await at(server)
    const post = client()
    for (let round = 0; round < 5; round += 1) await post(origin, [countedFile(megabyte).part])
    expect(new Set(sizes).size).toBe(1)
    expect((await server).connections.length).toBeLessThanOrEqual(2)
  })
})

describe('a form that was not written', () => {
  it('because nobody listens was not dispatched, and its files were not opened', async () => {
    const { part, seen } = countedFile(megabyte)
    const error = await failure(client()('http://127.0.0.1:1', [part]))
    expect(error).toMatchObject({ ...unsent, code: 'upstream_unavailable', retryable: true })
    expect(seen.streams).toEqual([])
  })

  it('because the caller had given up was not dispatched, and its files were not opened', async () => {
    const { part, seen } = countedFile(megabyte)
    const origin = await at(serveTcp(() => {}))
    const error = await failure(client()(origin, [part], { signal: AbortSignal.abort() }))
    expect(error).toMatchObject({ ...unsent, retryable: false })
    expect(seen.streams).toEqual([])
  })

  it.each<[string, () => Readable]>([
    ['is not there', () => createReadStream(join(tmpdir(), 'gesso-no-such-file'))],
    [
      'cannot be opened',
      () => {
        throw new Error('too many open files')
      },
    ],
    ['fails at its first byte', () => countedFile(megabyte, 0).part.stream()],
  ])('because its first file %s was not dispatched', async (_, stream) => {
    let spoke = 0
    const origin = await at(serveTcp(() => (spoke += 1)))
    const error = await failure(client()(origin, [file(stream, 1_000), { name: 'n', value: '1' }]))
    expect(error).toMatchObject({
      ...unsent,
      code: 'internal_error',
      attribution: 'platform',
      retryable: false,
    })
    expect(error.detail).not.toContain(tmpdir())
    await sleep(20)
    expect(spoke).toBe(0)
  })

  it('within the deadline, because a file gives nothing, was not dispatched', async () => {
    const stuck = new Readable({ read() {} })
    const origin = await at(serveTcp(() => {}))
    const error = await failure(client()(origin, [file(() => stuck, 10)], { timeoutMs: 100 }))
    expect(error).toMatchObject(unsent)
    await expectClosed([stuck])
  })
})

describe('a form that breaks off while it is written has an unknown outcome', () => {
  const broken = { ...unknown, attribution: 'platform' }

  it.each<[string, () => FormPart]>([
    ['fails in its middle', () => countedFile(4 * megabyte, 2 * megabyte).part],
    ['is longer than it said', () => ({ ...countedFile(megabyte).part, sizeBytes: megabyte - 1 })],
    ['is shorter than it said', () => ({ ...countedFile(megabyte).part, sizeBytes: megabyte + 1 })],
  ])('when a file %s, and the other side never has a whole request', async (_, part) => {
    let whole = 0
    const broke = Promise.withResolvers<void>()
    const origin = await at(
      serveHttp((request) => {
        buffer(request).then(
          () => (whole += 1),
          () => broke.resolve(),
        )
      }),
    )
    const text = { name: 'prompt', value: 'x' }
    expect(await failure(client()(origin, [text, part(), text]))).toMatchObject(broken)
    await broke.promise
    expect(whole).toBe(0)
  })

  it('when the connection is reset', async () => {
    const { part, seen } = countedFile(20 * megabyte)
    const origin = await at(serveTcp((socket) => socket.resetAndDestroy()))
    expect(await failure(client()(origin, [part]))).toMatchObject({ ...unknown, attribution: 'upstream' })
    await expectClosed(seen.streams)
  })

  it('when the connection is closed', async () => {
    const { part, seen } = countedFile(20 * megabyte)
    const origin = await at(serveTcp((socket) => socket.end()))
    expect(await failure(client()(origin, [part]))).toMatchObject({ ...unknown, attribution: 'upstream' })
    await expectClosed(seen.streams)
  })
})

describe('an answer that comes while the form is still going out is delivered', () => {
  const told = '{"error":{"code":"too_large"}}'

  // Several rounds, because whether a write or a read meets the closed connection first is chance.
  it.each<[string, (socket: Socket) => void]>([
    ['and the other side goes on reading', (socket) => socket.resume().write(answerOf(413, told))],
    ['and the other side reads no further', (socket) => socket.pause().write(answerOf(413, told))],
    [
      'and the other side hangs up',
      (socket) => {
        socket.pause().write(answerOf(413, told), () => setTimeout(() => socket.destroy(), 5))
      },
    ],
    [
      'and the other side hangs up at once',
      (socket) => void socket.pause().write(answerOf(413, told), () => socket.destroy()),
    ],
    [
      'and the other side resets',
      (socket) => {
        socket.pause().write(answerOf(413, told), () => setTimeout(() => socket.resetAndDestroy(), 5))
      },
    ],
  ])('%s', async (_, behave) => {
    const origin = await at(serveTcp(behave))
    const post = client()
    const rounds = Array.from({ length: 20 }, async () => {
      const { part, seen } = countedFile(20 * megabyte)
      const answer = await post(origin, [part, { name: 'prompt', value: 'x' }])
      expect(answer).toMatchObject({ status: 413, json: { error: { code: 'too_large' } } })
      expect(seen.takenBytes).toBeLessThan(20 * megabyte)
      await expectClosed(seen.streams)
    })
    await Promise.all(rounds)
  })

  it('and the next write meets a connection that is gone before the answer is read', async () => {
    const piece = Buffer.alloc(512 * 1024, 'g')
    const source = new Readable({ read() {} })
    const origin = await at(
      serveTcp((socket) => {
        socket.pause()
        source.push(piece)
        // By then something lies unread, so that hanging up resets the connection.
        setTimeout(() => {
          socket.write(answerOf(413, told))
          socket.destroy()
          // Written within this turn of the event loop, before anything is read.
          source.push(piece)
        }, 30)
      }),
    )
    source.push(piece)
    const answer = await client()(origin, [file(() => source, 10 * piece.length)])
    expect(answer).toMatchObject({ status: 413, json: { error: { code: 'too_large' } } })
    await expectClosed([source])
  })

  it('and a redirect is not followed', async () => {
    const { part } = countedFile(20 * megabyte)
    const elsewhere = serveHttp((_, response) => response.end('{}'))
    const location = await at(elsewhere)
    const origin = await at(
      serveTcp((socket) =>
        socket
          .resume()
          .write(answerOf(307).replace('Content-Type', `Location: ${location}/\r\nContent-Type`)),
      ),
    )
    expect(await failure(client()(origin, [part]))).toMatchObject({ ...unsent, code: 'upstream_failed' })
    expect((await elsewhere).connections).toEqual([])
  })
})
