/** What becomes of answers, word for word as the vendor's documentation prints them. */
import { readFile } from 'node:fs/promises'
import { afterEach, describe, expect, it } from 'vitest'
import type { Operation, ProviderOutcome } from '../provider.ts'
import { closeOpened, failure, requestFor, scripted } from './testing/connect.ts'

afterEach(closeOpened)

const patience = () => AbortSignal.timeout(5_000)
const operation = (overrides: Partial<Operation> = {}): Operation => ({
  id: '86ecf553-d340-4e21-af6e-xxxxxx',
  owed: 4,
  atMost: 4,
  startedAt: Date.now() - 90_000,
  ...overrides,
})

async function fixture(name: string): Promise<unknown> {
  return JSON.parse(await readFile(new URL(`__fixtures__/${name}`, import.meta.url), 'utf8'))
}

async function check(reply: unknown, asked: Operation = operation()): Promise<ProviderOutcome | undefined> {
  return (await scripted(200, reply)).check?.(asked, patience())
}

function urlsOf(outcome: ProviderOutcome | undefined): (string | undefined)[] {
  if (outcome?.status !== 'completed') return []
  return outcome.images.map(({ source }) =>
    source.kind === 'url' ? new URL(source.url).pathname : undefined,
  )
}

describe('pictures', () => {
  it('in one message are told apart, with their size and the vendor’s id', async () => {
    const provider = await scripted(200, await fixture('messages-one-choice.json'))
    const outcome = await provider.start(requestFor({ n: 2 }), patience())
    expect(urlsOf(outcome)).toEqual(['/a1.png', '/a2.png'])
    expect(outcome).toMatchObject({
      effective: { size: '1536x1024' },
      upstreamRequestId: 'bf37ca26-0abe-98e4-8065-xxxxxx',
    })
    expect(outcome).not.toHaveProperty('failures')
  })

  it('are told from the words around them', async () => {
    const provider = await scripted(200, await fixture('messages-reasoning.json'))
    const outcome = await provider.start(requestFor(), patience())
    expect(urlsOf(outcome)).toEqual(['/z.png'])
    expect(outcome).toMatchObject({ usage: { inputTokens: 10, outputTokens: 20, totalTokens: 30 } })
  })

  it.each([-1, 1.5, 1_000_000_001, 1e308, 'NaN', null, {}])('never cost %j tokens', async (count) => {
    const usage = { image_count: count, input_tokens: count, output_tokens: count, total_tokens: 7 }
    const provider = await scripted(200, { ...Object(await fixture('messages-reasoning.json')), usage })
    const outcome = await provider.start(requestFor(), patience())
    expect(urlsOf(outcome)).toEqual(['/z.png'])
    expect(outcome).toMatchObject({
      usage: { inputTokens: undefined, outputTokens: undefined, totalTokens: 7 },
    })
  })

  it('in several choices count as those of one', async () => {
    const outcome = await check(
      await fixture('task-several-choices.json'),
      operation({ owed: 1, atMost: 12 }),
    )
    expect(urlsOf(outcome)).toEqual(['/1.png', '/2.png'])
    expect(outcome).toMatchObject({ effective: { size: '2048x2048' } })
    // A series may be shorter than it might have been.
    expect(outcome).not.toHaveProperty('failures')
  })

  it('that failed beside others are failures, each for its own reason', async () => {
    const outcome = await check(await fixture('task-results-partly.json'))
    expect(urlsOf(outcome)).toEqual(['/123/a1.png', '/123/b2.png'])
    expect(outcome).toMatchObject({
      failures: [
        { error: { code: 'upstream_failed', dispatched: 'yes', retryable: false } },
        { error: { code: 'moderation_blocked', attribution: 'client' } },
      ],
    })
  })

  it('have a revised prompt only where the vendor drew from other words', async () => {
    const outcome = await check(await fixture('task-results-partly.json'))
    expect(outcome).toMatchObject({
      images: [{ revisedPrompt: 'A flower shop with a beautiful wooden door' }, {}],
    })
    expect(outcome).not.toHaveProperty('images.1.revisedPrompt')
  })

  it('that are missing are failures, and nobody gets more than was asked for', async () => {
    const reply = await fixture('messages-one-choice.json')
    const three = await (await scripted(200, reply)).start(requestFor({ n: 3 }), patience())
    expect(three).toMatchObject({
      failures: [{ error: { code: 'upstream_invalid_response', dispatched: 'yes' } }],
    })
    const one = await (await scripted(200, reply)).start(requestFor({ n: 1 }), patience())
    expect(urlsOf(one)).toEqual(['/a1.png'])
  })

  it('of a server of the operator’s own may lie in his network', async () => {
    const outcome = await check(await fixture('task-several-choices.json'), operation({ owed: 1 }))
    expect(outcome).toMatchObject({ images: [{ source: { trusted: true } }, { source: { trusted: true } }] })
  })

  it('are none where the addresses are odd', async () => {
    const results = [{ url: 'ftp://vendor.test/a.png' }, { url: '' }, { url: 7 }, null]
    const error = await failure(check({ output: { task_status: 'SUCCEEDED', results } }))
    expect(error).toMatchObject({ code: 'upstream_invalid_response', dispatched: 'yes', retryable: false })
  })
})

describe('a task', () => {
  const state = (task_status: string) => ({ request_id: 'r', output: { task_id: 't', task_status } })

  it.each(['PENDING', 'RUNNING', 'SUSPENDED'])('is under way while it is %s', async (word) => {
    const asked = operation()
    expect(await check(state(word), asked)).toMatchObject({ status: 'pending', operation: asked })
  })

  it('that tells no state may be asked for again', async () => {
    const error = await failure(check(state('')))
    expect(error).toMatchObject({ code: 'upstream_unavailable', dispatched: 'yes', retryable: true })
  })

  it('is asked for soon at first, and every five seconds later', async () => {
    const waits = []
    for (const ageMs of [0, 15_000, 600_000]) {
      const outcome = await check(state('RUNNING'), operation({ startedAt: Date.now() - ageMs }))
      waits.push(outcome?.status === 'pending' ? Math.round(outcome.checkAfterMs / 100) * 100 : 0)
    }
    expect(waits).toEqual([1_000, 3_000, 5_000])
  })

  it('may be unknown for ten minutes, and is lost after that', async () => {
    const unknown = await fixture('task-unknown.json')
    const minutesAgo = (minutes: number) => operation({ startedAt: Date.now() - minutes * 60_000 })
    expect(await check(unknown, minutesAgo(9.9))).toMatchObject({ status: 'pending' })
    const lost = { code: 'outcome_unknown', attribution: 'upstream', dispatched: 'unknown', retryable: false }
    expect(await failure(check(unknown, minutesAgo(10)))).toMatchObject(lost)
  })

  it('that failed says why', async () => {
    const error = await failure(check(await fixture('task-failed.json')))
    expect(error).toMatchObject({ code: 'invalid_image_request', attribution: 'client', dispatched: 'yes' })
    expect(error.message).toContain('The size is not match')
  })

  it('that was canceled is over', async () => {
    const over = { code: 'upstream_failed', dispatched: 'yes', retryable: false }
    expect(await failure(check(state('CANCELED')))).toMatchObject(over)
  })

  it('that somebody has begun is named in an answer, or nobody can ask for it', async () => {
    const provider = await scripted(200, { output: { task_status: 'PENDING' }, request_id: 'r' })
    const error = await failure(provider.start(requestFor({ model: 'qwen-image' }), patience()))
    expect(error).toMatchObject({ code: 'upstream_invalid_response', dispatched: 'yes', retryable: false })
  })
})
