/** One request, several calls: models that make one picture per call, behind a provider that may fail at any of them. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type FakeUpstream, startFakeOpenAi } from '../upstreams/openai.ts'
import { type DrawingWorld, type Json, openDrawingWorld, picturesOf } from './drawing-world.ts'

const fanOut = 2
let compatible: FakeUpstream
let official: FakeUpstream
let front: Awaited<ReturnType<typeof startCountingFront>>
let world: DrawingWorld
let metered: DrawingWorld
beforeAll(async () => {
  compatible = await startFakeOpenAi({ dialect: 'openai-compatible', latencyMs: 20 })
  official = await startFakeOpenAi({ apiKey: null, otherSize: { width: 64, height: 64 } })
  front = await startCountingFront(compatible.origin)
  const yaml = (more: string) => `
generation: { fan_out: ${fanOut} }
models:
  - { id: one-each, provider: openai, images_per_call: 1, ${more} }
  - { id: two-each, provider: openai, images_per_call: 2, supports: [seed], sizes: [64x64] }
`
  world = await openDrawingWorld(yaml('supports: [seed], sizes: [64x64]'), {
    OPENAI_BASE_URL: `${front.origin}/v1`,
  })
  metered = await openDrawingWorld(yaml('upstream_model: gpt-image-2, dialect: gpt-image'), {
    OPENAI_BASE_URL: official.url,
  })
})
afterEach(() => Promise.all([compatible.play('ok'), official.play('ok')]))
afterAll(async () => {
  await world[Symbol.asyncDispose]()
  await metered[Symbol.asyncDispose]()
  await front.close()
  await Promise.all([compatible.close(), official.close()])
})

const ask = { model: 'one-each', prompt: 'a fox', size: '64x64' }

/** What reached the upstream while `work` ran. */
async function during<Result>(
  upstream: FakeUpstream,
  work: () => Promise<Result>,
): Promise<{ result: Result; sent: Json[] }> {
  const before = upstream.requests.length
  const result = await work()
  const submissions = upstream.requests.slice(before).filter((one) => one.method === 'POST')
  return { result, sent: submissions.map((one) => one.body) }
}

describe('seeds', () => {
  test.each([
    [11, [11, 12, 13, 14]],
    [4_294_967_294, [4_294_967_294, 4_294_967_295, 0, 1]],
  ])('n 4 from %i: one call each, pictures in their order', async (seed, seeds) => {
    const { result, sent } = await during(compatible, () => world.draw({ ...ask, n: 4, seed }))
    expect(result.status, result.text).toBe(200)
    expect(result.json.data.map((one: Json) => one.seed)).toEqual(seeds)
    expect(sent.map((body) => body.n)).toEqual([1, 1, 1, 1])
    expect(sent.map((body) => body.seed).sort()).toEqual(seeds.toSorted())
    expect(result.json.usage.generated_images).toBe(4)
    expect(result.json.warnings).toBeUndefined()
    expect(new Set(result.json.data.map((one: Json) => one.image_id)).size).toBe(4)
  })

  test('without a seed none is made up', async () => {
    const { sent } = await during(compatible, () => world.draw({ ...ask, n: 2 }))
    for (const body of sent) expect(body).not.toHaveProperty('seed')
  })

  test('what is left over is asked for in a smaller last call', async () => {
    const asked = { ...ask, model: 'two-each', n: 5, seed: 100 }
    const { result, sent } = await during(compatible, () => world.draw(asked))
    expect(result.json.data.map((one: Json) => one.seed)).toEqual([100, 101, 102, 103, 104])
    expect(sent.map(({ n, seed }) => [n, seed]).sort()).toEqual([
      [1, 104],
      [2, 100],
      [2, 102],
    ])
  })
})

test('never more calls at once than generation.fan_out, and as many', async () => {
  front.forget()
  const { status } = await world.draw({ ...ask, n: 8 })
  expect(status).toBe(200)
  expect(front.most()).toBe(fanOut)
})

describe('one call fails', () => {
  test('the others are delivered, the missing one is told, and only they are counted', async () => {
    await official.play('500', 1)
    const body = { ...ask, size: 'auto', response_format: 'b64_json' }
    const { result, sent } = await during(official, () => metered.draw({ ...body, n: 4 }))
    expect(result.status, result.text).toBe(200)
    expect(sent).toHaveLength(4)
    expect(picturesOf(result)).toHaveLength(3)
    expect(result.json.warnings).toMatchObject([
      { param: 'n', code: 'upstream_failed', message: expect.stringMatching(/^A picture is missing: /) },
    ])
    const single = await metered.draw(body)
    const { usage } = single.json
    expect(usage.total_tokens).toBeGreaterThan(0)
    expect(result.json.usage).toMatchObject({
      generated_images: 3,
      total_tokens: 3 * usage.total_tokens,
      input_tokens: 3 * usage.input_tokens,
      output_tokens: 3 * usage.output_tokens,
      input_tokens_details: { text_tokens: 3 * usage.input_tokens_details.text_tokens },
    })
    expect(result.json.cost).toEqual({ micros: null, currency: 'USD', source: 'unmetered', unpriced: true })
  })

  test('a call of two that fails is two pictures missing', async () => {
    await compatible.play('503', 1)
    const { result } = await during(compatible, () =>
      world.draw({ ...ask, model: 'two-each', n: 5, seed: 1 }),
    )
    expect(result.json.data).toHaveLength(3)
    expect(result.json.warnings.map((one: Json) => one.code)).toEqual([
      'upstream_unavailable',
      'upstream_unavailable',
    ])
  })

  test('the task says the same later', async () => {
    await compatible.play('500', 1)
    const { json } = await world.draw({ ...ask, n: 2 })
    const task = (await (await world.call(`/v1/images/generations/${json.id}`)).json()) as Json
    expect(task).toMatchObject({ status: 'SUCCEEDED', result: { usage: { generated_images: 1 } } })
    expect(task.result.data).toHaveLength(1)
    expect(task.result.warnings).toEqual(json.warnings)
  })
})

describe('all calls fail', () => {
  test.each([
    ['500', 502, 'upstream_failed', 'false'],
    ['503', 503, 'upstream_unavailable', 'true'],
    ['429', 429, 'rate_limit_exceeded', 'true'],
  ] as const)('with %s: the error, once, and the same in the task', async (scenario, status, code, retry) => {
    await compatible.play(scenario)
    const { result, sent } = await during(compatible, () => world.draw({ ...ask, n: 3 }))
    expect([result.status, result.json.error.code]).toEqual([status, code])
    expect(result.headers.get('x-should-retry')).toBe(retry)
    expect(sent).toHaveLength(3)
    const id = result.headers.get('x-gesso-task-id')
    const task = (await (await world.call(`/v1/images/generations/${id}`)).json()) as Json
    expect(task).toMatchObject({ status: 'FAILED', error: { code } })
  })

  test.each([[[429, 500]], [[500, 429]], [[503, 500, 429]]])(
    '%j: where one may have cost money, nobody is told to try again',
    async (statuses) => {
      front.fail(statuses)
      const { status, json, headers } = await world.draw({ ...ask, n: statuses.length })
      expect([status, json.error.code]).toEqual([502, 'upstream_failed'])
      expect(headers.get('x-should-retry')).toBe('false')
      expect(headers.has('retry-after')).toBe(false)
    },
  )
})

describe('what is wrong with the request or the key is wrong with every call', () => {
  test.each([
    ['401', 502, 'upstream_failed'],
    ['402', 502, 'upstream_failed'],
  ] as const)('%s: the calls not yet sent stay away', async (scenario, status, code) => {
    await compatible.play(scenario)
    const { result, sent } = await during(compatible, () => world.draw({ ...ask, n: 8 }))
    expect([result.status, result.json.error.code], result.text).toEqual([status, code])
    expect(result.headers.get('x-should-retry')).toBe('false')
    expect(sent.length).toBeLessThanOrEqual(fanOut)
  })

  test('pictures that were made beside it are delivered all the same', async () => {
    await compatible.play('401', 1)
    const { result, sent } = await during(compatible, () => world.draw({ ...ask, n: 8 }))
    expect(result.status, result.text).toBe(200)
    expect(result.json.data).toHaveLength(sent.length - 1)
    expect(result.json.data.length + result.json.warnings.length).toBe(8)
    expect(result.json.usage.generated_images).toBe(sent.length - 1)
    expect(sent.length).toBeLessThanOrEqual(fanOut + 1)
  })

  test('one picture refused by moderation is one picture: the other seven are asked for and delivered', async () => {
    await compatible.play('moderation', 1)
    const { result, sent } = await during(compatible, () => world.draw({ ...ask, n: 8 }))
    expect(result.status, result.text).toBe(200)
    expect(sent).toHaveLength(8)
    expect(result.json.data).toHaveLength(7)
    expect(result.json.warnings).toMatchObject([{ param: 'n', code: 'moderation_blocked' }])
  })

  test('refused by moderation, all of them: the refusal, which is never to be repeated', async () => {
    await compatible.play('moderation')
    const { result } = await during(compatible, () => world.draw({ ...ask, n: 3 }))
    expect([result.status, result.json.error.code], result.text).toEqual([400, 'moderation_blocked'])
    expect(result.headers.get('x-should-retry')).toBe('false')
  })
})

/** Passes everything on to `target`, and counts how many calls for pictures are under way at once. */
async function startCountingFront(target: string) {
  let now = 0
  let most = 0
  let failures: number[] = []
  const server = createServer(async (request, response) => {
    if (request.method === 'POST') most = Math.max(most, ++now)
    const failure = failures.shift()
    if (failure !== undefined) {
      now--
      response.writeHead(failure, { 'content-type': 'application/json' }).end('{"error":{"message":"no"}}')
      return
    }
    try {
      const answer = await fetch(`${target}${request.url}`, {
        method: request.method,
        headers: { 'content-type': request.headers['content-type'] ?? 'application/octet-stream' },
        body: request.method === 'POST' ? await buffer(request) : undefined,
      })
      const bytes = Buffer.from(await answer.arrayBuffer())
      if (request.method === 'POST') now--
      response
        .writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' })
        .end(bytes)
    } catch {
      response.destroy()
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    most: () => most,
    /** Answers the next calls with these statuses. */
    fail: (statuses: readonly number[]) => {
      failures = [...statuses]
    },
    forget: () => {
      most = now
    },
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
