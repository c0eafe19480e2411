/** When a stream begins and how it ends, with a drawing that goes as slowly or as wrongly as a test likes. */
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import { afterAll, beforeEach, expect, test } from 'vitest'
import type { GenerateContext } from '../../../generation/context.ts'
import { LeftUnderWayError } from '../../../generation/left-under-way.ts'
import type { Outcome } from '../../../generation/outcome.ts'
import type { GenerationRequest } from '../../../generation/request.ts'
import { createSpool } from '../../../inputs/spool.ts'
import type { Caller } from '../../../keys/authenticate.ts'
import { GessoError } from '../../../lib/errors.ts'
import { requireAuthentication } from '../../auth.ts'
import { toHttpError } from '../../errors.ts'
import { createEventBuffer } from '../../event-stream.ts'
import { ownUploads } from '../../uploads.ts'
import { streamImages } from './stream-images.ts'

const drawing: GenerationRequest = {
  model: 'a-model',
  prompt: 'a fox',
  fields: { n: 1 },
  images: [],
  permanentLinks: false,
  handling: 'default',
  defaulted: new Set(),
  warnings: [],
  partialImages: 0,
}

/** As much of an outcome as the events tell. */
const outcome = {
  task: {
    id: 'image_1',
    model: 'a-model',
    createdAt: new Date(),
    completedAt: new Date(),
    result: { usage: { generated_images: 1 }, cost: { micros: 0 }, warnings: [] },
  },
  pictures: [{ id: 'img_1', width: 8, height: 8, format: 'png', sizeBytes: 3 }],
} as unknown as Outcome

const commentEveryMs = 20
let generate: (context: GenerateContext) => Promise<Outcome>
let present: () => object
const logged: string[] = []
/** A request of OpenAI's client, which could be joined by its retry. */
const repetition = { fingerprint: Buffer.from('00', 'hex'), retryCount: 0 }
const answered: string[] = []

const server = Fastify({
  logger: { level: 'error', stream: { write: (line: string) => void logged.push(line) } },
})
const caller: Caller = {
  keyId: 'key_1',
  accountId: 'acc_1',
  scopes: ['admin'],
  requestsPerMinute: 9,
  models: null,
  billing: 'unmetered',
  providerKeys: [],
  defaults: {},
  promptInMetadata: false,
}
requireAuthentication(server, { authenticate: async () => caller })
ownUploads(server, createSpool({ directory: '/nonexistent', memoryBytes: 1, budgetBytes: 1 }))
server.setErrorHandler((error, request, reply) => {
  const { status, headers, body } = toHttpError(error, request.id)
  return reply.code(status).headers(headers).send(body)
})
server.post('/', { config: { access: 'images:write' } }, (request, reply) =>
  streamImages(
    {
      generate: (context) => generate(context),
      estimate: async () => ({ cost: { micros: 0, currency: 'USD', source: 'unmetered' }, warnings: [] }),
      markAnswered: (taskId) => void answered.push(taskId),
      markUnanswered: (taskId) => void answered.push(`${taskId} lost`),
      joinsSdkRetries: true,
      uploads: { maxImages: 1 },
      events: { commentEveryMs, buffer: createEventBuffer(1_000), patienceMs: () => 10_000 },
    },
    { request, reply },
    {
      drawing: { request: drawing, repetition, waits: true },
      present: () => present(),
      events: 'image_generation',
    },
  ),
)
await server.listen({ host: '127.0.0.1', port: 0 })
const url = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`
afterAll(() => server.close())
beforeEach(() => {
  logged.length = 0
  answered.length = 0
  present = () => ({ url: 'https://example.com/i/img_1.png' })
})

const admitted = (context: GenerateContext) =>
  context.onAdmitted({
    taskId: 'image_1',
    rate: { limit: 9, remaining: 8, resetMs: 0 },
  })
const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length

test('begins with a comment only when it is admitted, so that a refusal has its status and the head names the task', async () => {
  generate = async (context) => {
    await sleep(3 * commentEveryMs)
    admitted(context)
    await sleep(3 * commentEveryMs)
    return outcome
  }
  const response = await fetch(url, { method: 'POST' })
  expect(response.headers.get('x-gesso-task-id')).toBe('image_1')
  expect(response.headers.get('x-ratelimit-limit-requests')).toBe('9')
  expect(await response.text()).toMatch(/^(: the work goes on\n\n)+event: image_generation.completed\n/)
  await expect.poll(() => answered).toEqual(['image_1'])

  generate = async () => {
    await sleep(3 * commentEveryMs)
    throw new GessoError({ code: 'queue_full', attribution: 'capacity', message: 'Full.', retryable: true })
  }
  const refused = await fetch(url, { method: 'POST' })
  expect([refused.status, refused.headers.get('x-should-retry')]).toEqual([429, 'true'])
  await refused.text()
})

test('leaves no timer behind where it never began', async () => {
  generate = async (context) => {
    admitted(context)
    throw new GessoError({ code: 'upstream_failed', attribution: 'upstream', message: 'No.' })
  }
  await (await fetch(url, { method: 'POST' })).text()
  const before = timers()
  for (let made = 0; made < 20; made += 1) await (await fetch(url, { method: 'POST' })).text()
  expect(timers() - before).toBeLessThan(5)
})

test('ends with an error that is logged, where this server itself fails in the middle, or while it tells the end', async () => {
  generate = async (context) => {
    admitted(context)
    await sleep(3 * commentEveryMs)
    throw new TypeError('a secret of the inside')
  }
  const failed = await (await fetch(url, { method: 'POST' })).text()
  expect(failed).toMatch(/event: error\ndata: \{"type":"error","error":\{.*"code":"internal_error"/)
  expect(failed).not.toContain('inside')
  expect(logged.join()).toContain('a secret of the inside')

  generate = async (context) => {
    admitted(context)
    await sleep(3 * commentEveryMs)
    return outcome
  }
  present = () => {
    throw new TypeError('no link can be made')
  }
  expect(await (await fetch(url, { method: 'POST' })).text()).toContain('event: error\n')
  expect(logged.join()).toContain('no link can be made')
})

test('of a client that leaves before it begins ends by itself, and leaves no timer', async () => {
  const finished = Promise.withResolvers<void>()
  generate = async (context) => {
    await sleep(50)
    admitted(context)
    await sleep(3 * commentEveryMs)
    finished.resolve()
    return outcome
  }
  const before = timers()
  for (let made = 0; made < 10; made += 1) {
    const left = request(url, { method: 'POST', agent: false }).on('error', () => undefined)
    left.end()
    await sleep(10)
    left.destroy()
  }
  await finished.promise
  await expect.poll(() => timers() - before, { timeout: 2_000 }).toBeLessThan(5)
  expect(logged).toEqual([])
  expect(answered).toEqual([])
})

test('of a client that leaves in the middle is no answer, and neither is one whose work goes on elsewhere', async () => {
  generate = async (context) => {
    admitted(context)
    await sleep(3 * commentEveryMs)
    return outcome
  }
  const leaving = new AbortController()
  const begun = await fetch(url, { method: 'POST', signal: leaving.signal })
  leaving.abort()
  await begun.text().catch(() => undefined)

  generate = async (context) => {
    admitted(context)
    throw new LeftUnderWayError('image_1')
  }
  expect((await fetch(url, { method: 'POST' })).status).toBe(504)

  generate = async (context) => {
    admitted(context)
    throw new GessoError({ code: 'outcome_unknown', attribution: 'upstream', message: 'Who knows.' })
  }
  expect((await fetch(url, { method: 'POST' })).status).toBe(504)
  await expect.poll(() => answered).toEqual(['image_1'])
  await sleep(3 * commentEveryMs)
  expect(answered).toEqual(['image_1'])
})
