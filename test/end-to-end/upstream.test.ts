/** What a caller gets when the provider behaves, and when it does not. Real HTTP to a fake OpenAI. */

import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { UpstreamScenario } from '../../src/providers/testing/conformance.ts'
import { peakGrowth } from '../setup/peak-growth.ts'
import { pixelsOf } from '../setup/pixels.ts'
import { openWorld, type World } from '../setup/world.ts'
import { fakePicture } from '../upstreams/fake-picture.ts'
import { type FakeUpstream, fakeOpenAiKey, startFakeOpenAi } from '../upstreams/openai.ts'

let upstream: FakeUpstream
let world: World
beforeAll(async () => {
  upstream = await startFakeOpenAi({ echo: true })
  world = await openWorldWith('providers:\n  openai:\n    max_response_bytes: 8388608\n')
})
afterEach(() => upstream.play('ok'))
afterAll(async () => {
  await world[Symbol.asyncDispose]()
  await upstream.close()
})

/** A Gesso in front of the fake, with this `gesso.yaml`. */
function openWorldWith(yaml: string): Promise<World> {
  const config = join(mkdtempSync(join(tmpdir(), 'gesso-yaml-')), 'gesso.yaml')
  writeFileSync(config, yaml)
  return openWorld({ GESSO_CONFIG: config, OPENAI_API_KEY: fakeOpenAiKey, OPENAI_BASE_URL: upstream.url })
}

const path = '/v1/images/generations'
const prompt = 'a very secret unicorn'
const good = { model: 'gpt-image-2', prompt, size: '1024x1024' }

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely, as a client of a JSON API does.
type Json = any

async function call(body: object, to = world): Promise<{ response: Response; json: Json; text: string }> {
  const response = await to.call(path, body)
  const text = await response.text()
  return { response, text, json: JSON.parse(text) }
}

describe('a provider that behaves', () => {
  test('gives the same bytes as link and as base64, with its usage', async () => {
    const { json } = await call({ ...good, response_format: 'b64_json' })
    expect(json.usage).toMatchObject({ generated_images: 1, total_tokens: expect.any(Number) })
    const hosted = (await (await world.call(`/v1/images/${json.data[0].image_id}`)).json()) as Json
    const bytes = Buffer.from(await (await fetch(hosted.url)).arrayBuffer())
    expect(bytes.toString('base64')).toBe(json.data[0].b64_json)
    expect((await sharp(bytes).metadata()).width).toBe(1024)
  })

  test('GPT Image is never sent a response_format, and always n', async () => {
    await call({ ...good, response_format: 'url', quality: 'hd', user: 'u-1' })
    expect(upstream.requests.at(-1)?.body).toEqual({
      model: 'gpt-image-2',
      prompt,
      n: 1,
      size: '1024x1024',
      quality: 'high',
      safety_identifier: 'u-1',
    })
  })

  test('a format it cannot make is made by Gesso', async () => {
    const { json } = await call({ ...good, output_format: 'avif', response_format: 'b64_json' })
    expect(json.output_format).toBe('avif')
    expect((await sharp(Buffer.from(json.data[0].b64_json, 'base64')).metadata()).format).toBe('heif')
  })

  test('a field the model lacks is a 400 before anything is sent', async () => {
    const before = upstream.submissions()
    const { response, json } = await call({ ...good, seed: 5 })
    expect([response.status, json.error.code, json.error.param]).toEqual([
      400,
      'unsupported_parameter',
      'seed',
    ])
    expect(upstream.submissions()).toBe(before)
  })
})

describe('a provider that fails: the documented error, no retry that could pay twice, one submission', () => {
  test.each<[UpstreamScenario, number, string, string, boolean]>([
    ['moderation', 400, 'invalid_request_error', 'moderation_blocked', false],
    ['401', 502, 'upstream_error', 'upstream_failed', false],
    ['402', 502, 'upstream_error', 'upstream_failed', false],
    ['429', 429, 'rate_limit_error', 'rate_limit_exceeded', true],
    ['500', 502, 'upstream_error', 'upstream_failed', false],
    ['503', 503, 'upstream_error', 'upstream_unavailable', true],
    ['empty', 502, 'upstream_error', 'upstream_invalid_response', false],
    ['garbage', 502, 'upstream_error', 'upstream_invalid_response', false],
    ['truncated', 502, 'upstream_error', 'upstream_invalid_response', false],
    ['oversize', 502, 'upstream_error', 'upstream_invalid_response', false],
    ['redirect', 502, 'upstream_error', 'upstream_failed', false],
  ])('%s is %i %s %s', async (scenario, status, type, code, mayRetry) => {
    await upstream.play(scenario)
    const before = upstream.submissions()
    const { response, json, text } = await call(good)
    expect([response.status, json.error.type, json.error.code]).toEqual([status, type, code])
    expect(response.headers.get('x-should-retry')).toBe(String(mayRetry))
    expect(response.headers.has('retry-after')).toBe(mayRetry)
    expect(upstream.submissions() - before).toBe(1)
    expect(upstream.foreignRequests).toHaveLength(0)
    expect(text).not.toContain(fakeOpenAiKey)
    expect(text).not.toContain('unicorn')
    expect(text).not.toContain('iVBOR')
  })

  test('silence is 504, and nobody is told to try again', async () => {
    await using impatient = await openWorldWith('providers:\n  openai:\n    timeout_ms: 800\n')
    await upstream.play('silent')
    const before = upstream.submissions()
    const { response, json } = await call(good, impatient)
    expect([response.status, json.error.code]).toEqual([504, 'outcome_unknown'])
    expect(response.headers.get('x-should-retry')).toBe('false')
    expect(response.headers.has('retry-after')).toBe(false)
    expect(upstream.submissions() - before).toBe(1)
  })

  test.each([
    ['{"error":{"code":503}}', 1],
    ['{"error":{"code":429}}', 1],
    ['{"error":{"type":"rate_limit_error"},"data":[]}', 1],
    ['{"data":[{"error":{"type":"rate_limit_error"}},{}]}', 2],
  ])('a failure inside a success, %s, is never worth paying for twice', async (body, n) => {
    await upstream.play({ status: 200, headers: { 'retry-after': '1' }, body: Buffer.from(body) })
    const before = upstream.submissions()
    const { response, json } = await call({ ...good, n })
    expect([response.status, json.error.code]).toEqual([502, 'upstream_failed'])
    expect(response.headers.get('x-should-retry')).toBe('false')
    expect(response.headers.has('retry-after')).toBe(false)
    expect(upstream.submissions() - before).toBe(1)
  })

  test('an unreachable provider is 503 and may be tried again', async () => {
    await upstream.play('refused')
    const { response, json } = await call(good)
    expect([response.status, json.error.code, response.headers.get('x-should-retry')]).toEqual([
      503,
      'upstream_unavailable',
      'true',
    ])
  })

  test('the failure can be fetched later by the task, in the same words', async () => {
    await upstream.play('moderation')
    const { response } = await call({ ...good, metadata: { which: 'moderated' } })
    const id = await newestTask()
    const task = (await (await world.call(`${path}/${id}`)).json()) as Json
    expect(task).toMatchObject({
      status: 'FAILED',
      error: { code: 'moderation_blocked', type: 'invalid_request_error' },
    })
    expect(response.headers.get('x-gesso-task-id')).toBe(id)
  })

  test('answers that are too large, five at a time, take no memory, and the next call works', async () => {
    await upstream.play('oversize')
    await call(good)
    const grownBytes = await peakGrowth(async () => {
      for (let round = 0; round < 4; round++) {
        const calls = await Promise.all(Array.from({ length: 5 }, () => call(good)))
        expect(calls.map(({ response }) => response.status)).toEqual([502, 502, 502, 502, 502])
      }
    })
    expect(grownBytes).toBeLessThan(150 * 1024 * 1024)
    await upstream.play('ok')
    expect((await call(good)).response.status).toBe(200)
  })

  test('an answer of 300 MB is refused where the limit is the default of 128 MiB', async () => {
    await using roomy = await openWorldWith('')
    await call(good, roomy)
    await upstream.play('oversize')
    const grownBytes = await peakGrowth(async () => {
      const { response, json } = await call(good, roomy)
      expect([response.status, json.error.code]).toEqual([502, 'upstream_invalid_response'])
    })
    expect(grownBytes).toBeLessThan(350 * 1024 * 1024)
  })
})

describe('what a provider says beside a picture never costs the picture', () => {
  const oddities: [inPicture: string, afterPictures: string][] = [
    ['"seed":1.5', ''],
    ['"seed":-1', ''],
    ['"seed":12345678901234567890', ''],
    ['"seed":1234567890123456789', ''],
    ['"seed":1e999', ''],
    ['"seed":NaN', ''],
    ['"revised_prompt":"a\\u0000b"', ''],
    ['"revised_prompt":"a\\ud83db"', ''],
    [`"revised_prompt":"${'x'.repeat(1024 * 1024)}"`, ''],
    [`"revised_prompt":"${'x, '.repeat(400_000)}"`, ''],
    [`"revised_prompt":"${'x'.repeat(2_000)}, and so on"`, ''],
    ['"revised_prompt":["x"]', ''],
    ['"seed":1', ',"quality":"\\u0000","size":"\\ud83d","background":"a\\u0000b"'],
    ['"seed":1', ',"quality":7,"size":{},"background":[],"created":"never"'],
    ['"seed":1', `,"quality":"${'x, '.repeat(20_000)}"`],
    ['"seed":1', ',"usage":{"input_tokens":-1,"output_tokens":NaN,"total_tokens":1e308}'],
    [
      '"seed":1',
      ',"usage":{"input_tokens":"7","input_tokens_details":{"text_tokens":1.5,"image_tokens":-1}}',
    ],
    ['"seed":1', ',"usage":"none","error":{"code":429}'],
  ]
  const named = oddities.map((oddity) => [oddity.join(' ').slice(0, 80), ...oddity] as const)
  test.each(named)('%s', async (_, beside, after) => {
    const bytes = await fakePicture({ width: 1024, height: 1024, format: 'png', index: 0 })
    const body = Buffer.from(`{"data":[{${beside},"b64_json":"${bytes.toString('base64')}"}]${after}}`)
    await upstream.play({ status: 200, headers: { 'x-request-id': 'x'.repeat(5_000) }, body })
    const { response, json } = await call({ ...good, response_format: 'b64_json' })
    expect(response.status, JSON.stringify(json.error)).toBe(200)
    expect(await pixelsOf(Buffer.from(json.data[0].b64_json, 'base64'))).toBe(await pixelsOf(bytes))
    const later = await world.call(`${path}/${response.headers.get('x-gesso-task-id')}`)
    expect(later.status).toBe(200)
    expect(((await later.json()) as Json).status).toBe('SUCCEEDED')
  })
})

async function newestTask(): Promise<string> {
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionString: world.databaseUrl })
  await client.connect()
  const { rows } = await client.query('select id from tasks order by created_at desc limit 1')
  await client.end()
  return rows[0].id
}

test('a server that answers with links: the picture is copied at once, without credentials', async () => {
  await using compatible = await startFakeOpenAi({ dialect: 'openai-compatible' })
  const config = join(mkdtempSync(join(tmpdir(), 'gesso-yaml-')), 'gesso.yaml')
  writeFileSync(
    config,
    'models:\n  - id: local/flux\n    upstream_model: flux\n    provider: openai\n    supports: [seed, negative_prompt]\n    sizes: [256x256]\n',
  )
  await using local = await openWorld({ GESSO_CONFIG: config, OPENAI_BASE_URL: compatible.url })
  const response = await local.call(path, {
    model: 'local/flux',
    prompt: 'x',
    size: '256x256',
    seed: 9,
    negative_prompt: 'dogs',
    response_format: 'url',
  })
  const body = (await response.json()) as Json
  expect(response.status, JSON.stringify(body)).toBe(200)
  expect(body.data[0].url).toContain(`${local.url}/i/`)
  const copy = await fetch(body.data[0].url)
  expect(copy.status).toBe(200)
  // Read to its end: a server that stops waits for clients that are still reading.
  await copy.arrayBuffer()
  expect(compatible.requests[0]?.body).toMatchObject({ model: 'flux', seed: 9, negative_prompt: 'dogs' })
  for (const request of compatible.requests) expect(request.headers.authorization).toBeUndefined()
  expect((await (await local.call('/v1/models/local/flux')).json()) as Json).toMatchObject({
    id: 'local/flux',
    available: true,
  })
})
