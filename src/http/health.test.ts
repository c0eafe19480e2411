import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, expect, test } from 'vitest'
import { health } from './health.ts'

let server: FastifyInstance
afterEach(() => server.close())

async function listen(notReady: () => Promise<string[]>): Promise<() => Promise<[number, unknown]>> {
  server = Fastify()
  health(server, { notReady })
  await server.listen({ port: 0, host: '127.0.0.1' })
  const { port } = server.server.address() as AddressInfo
  return async () => {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`)
    return [response.status, await response.json()]
  }
}

test('however many ask, one look a second is taken', async () => {
  let looks = 0
  const ask = await listen(async () => {
    looks++
    return looks === 1 ? [] : ['it rains']
  })
  for (const [status] of await Promise.all(Array.from({ length: 50 }, ask))) expect(status).toBe(200)
  expect(looks).toBe(1)
  await expect.poll(ask, { timeout: 8_000 }).toEqual([503, { status: 'not ready', reasons: ['it rains'] }])
  expect(looks).toBe(2)
})

test('a look that hangs is an answer after 2 s, is not begun again, and is forgotten when it ends', async () => {
  let looks = 0
  let end: (reasons: string[]) => void = () => undefined
  const ask = await listen(() => {
    looks++
    return new Promise((resolve) => {
      end = resolve
    })
  })
  const startedAtMs = performance.now()
  const [status, body] = await ask()
  expect(performance.now() - startedAtMs).toBeLessThan(8_000)
  expect([status, JSON.stringify(body)]).toEqual([503, expect.stringMatching(/database does not answer/)])
  setTimeout(() => end([]), 1_500)
  await expect.poll(async () => (await ask())[0], { timeout: 10_000 }).toBe(200)
  expect(looks).toBe(1)
})

test('a look that fails is not ready, and the next may succeed', async () => {
  let looks = 0
  const ask = await listen(async () => {
    looks++
    if (looks === 1) throw new Error('secret detail')
    return []
  })
  expect(await ask()).toEqual([503, { status: 'not ready', reasons: ['the checks could not be made'] }])
  await expect.poll(async () => (await ask())[0], { timeout: 8_000 }).toBe(200)
})
