import { createReadStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { serveHttp, serveTcp } from '../net/testing/loopback.ts'
import { createProviderHttp } from './http.ts'
import {
  at,
  client,
  closeOpened,
  expectClosed,
  failure,
  file,
  megabyte,
  type Sending,
  unknown,
} from './testing/form-sending.ts'

afterEach(closeOpened)

describe('files on the disk', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gesso-form-'))
    await writeFile(join(folder, 'large'), Buffer.alloc(8 * megabyte, 'g'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  function filesOnDisk() {
    const streams: Readable[] = []
    const stream = () => {
      const source = createReadStream(join(folder, 'large'))
      streams.push(source)
      return source
    }
    return { streams, parts: [file(stream, 8 * megabyte), file(stream, 8 * megabyte)] }
  }

  it('are closed when all went well, and only one is open at a time', async () => {
    const { streams, parts } = filesOnDisk()
    let openAtOnce = 0
    const origin = await at(
      serveHttp((request, response) => {
        request.on('data', () => {
          openAtOnce = Math.max(openAtOnce, streams.filter((stream) => !stream.readableEnded).length)
        })
        request.on('end', () => response.end('{}'))
      }),
    )
    expect((await client()(origin, parts)).status).toBe(200)
    expect(openAtOnce).toBe(1)
    expect(streams).toHaveLength(2)
    await expectClosed(streams)
  })

  it.each<[string, () => Sending]>([
    ['the caller gives up', () => ({ signal: AbortSignal.timeout(100) })],
    ['the deadline passes', () => ({ timeoutMs: 100 })],
  ])('are closed when %s in the middle', async (_, sending) => {
    const { streams, parts } = filesOnDisk()
    const origin = await at(serveTcp((socket) => socket.pause()))
    expect(await failure(client()(origin, parts, sending()))).toMatchObject(unknown)
    await expectClosed(streams)
  })

  it('are closed when the client is closed', async () => {
    const { streams, parts } = filesOnDisk()
    const http = createProviderHttp()
    const call = { title: 'Vendor', timeoutMs: 10_000, maxResponseBytes: 1_000, parts }
    const origin = await at(
      serveTcp((socket) => {
        socket.pause()
        setTimeout(() => http.close(), 20)
      }),
    )
    expect(await failure(http.postForm({ ...call, url: `${origin}/v1` }))).toMatchObject(unknown)
    await expectClosed(streams)
  })
})
