/** Pictures that are paid for, at addresses that do not always answer. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createGuardedFetch, type GuardedFetch } from '../net/guarded-fetch.ts'
import { type LoopbackHttpServer, serveHttp } from '../net/testing/loopback.ts'
import { downloadResult } from './download-result.ts'

const picture = Buffer.from('a picture')
let guardedFetch: GuardedFetch
let server: LoopbackHttpServer
/** How often each path was asked for. */
const asked = new Map<string, number>()
beforeAll(async () => {
  guardedFetch = createGuardedFetch({ allowPrivate: [] })
  server = await serveHttp(({ url = '' }, response) => {
    const before = asked.get(url) ?? 0
    asked.set(url, before + 1)
    if (url === '/gone') response.writeHead(403).end()
    else if (url === '/late' && before === 0) response.writeHead(503).end()
    else if (url === '/late' && before === 1) response.destroy()
    else response.end(picture)
  })
})
afterAll(async () => {
  await guardedFetch[Symbol.asyncDispose]()
  await server.close()
})

const download = (path: string, signal = AbortSignal.timeout(10_000)) =>
  downloadResult(
    { guardedFetch, maxImageBytes: 1_000 },
    { kind: 'url', url: `${server.origin}${path}`, trusted: true },
    signal,
  )

test('an address that fails twice is asked a third time', async () => {
  expect(await download('/late')).toEqual(picture)
  expect(asked.get('/late')).toBe(3)
})

test('an address that has expired is asked once', async () => {
  await expect(download('/gone')).rejects.toMatchObject({ status: 403 })
  expect(asked.get('/gone')).toBe(1)
})

test('what is paid for is still fetched while the process is told to end', async () => {
  expect(await download('/quick', AbortSignal.abort())).toEqual(picture)
})
