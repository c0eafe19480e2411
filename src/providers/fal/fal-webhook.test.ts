import { afterEach, describe, expect, it, vi } from 'vitest'
import { type FakeFal, fakeFalKey, startFakeFal } from '../../../test/upstreams/fal.ts'
import type { ProviderWebhook } from '../provider.ts'
import { closeOpened, connect, errorOf, signal } from './testing/scripted-fal.ts'

let fake: FakeFal
afterEach(async () => {
  vi.useRealTimers()
  await closeOpened()
  await fake.close()
})

async function open() {
  fake = await startFakeFal()
  const provider = connect(fake.url, { apiKey: fakeFalKey, jwks_url: fake.jwksUrl })
  const read = async (webhook: ProviderWebhook) => provider.readWebhook?.(webhook, signal())
  return { read, refusal: (webhook: ProviderWebhook) => errorOf(read(webhook)) }
}

function arrived({ headers, body }: ReturnType<FakeFal['webhook']>, changes: Record<string, string> = {}) {
  const all = new Headers({ ...headers, ...changes })
  return { headers: { get: (name: string) => all.get(name) ?? undefined }, body }
}

const questionsForKeys = () => fake.requests.filter(({ path }) => path.endsWith('jwks.json'))

describe('a message of fal', () => {
  it('tells which request it is about; the keys are asked for once, without credentials', async () => {
    const { read } = await open()
    expect(await read(arrived(fake.webhook('r1')))).toEqual({ id: 'r1' })
    expect(await read(arrived(fake.webhook('r2')))).toEqual({ id: 'r2' })
    expect(questionsForKeys()).toHaveLength(1)
    expect(questionsForKeys()[0]?.headers).not.toHaveProperty('authorization')
  })

  it.each<[string, Record<string, string>]>([
    ['is about another request', { 'x-fal-webhook-request-id': 'r2' }],
    ['is for another user', { 'x-fal-webhook-user-id': 'user-2' }],
    ['is not signed', { 'x-fal-webhook-signature': '' }],
    ['has half a signature', { 'x-fal-webhook-signature': 'ab' }],
    ['has another signature', { 'x-fal-webhook-signature': 'ab'.repeat(64) }],
    ['has no time', { 'x-fal-webhook-timestamp': 'now' }],
  ])('is not one when it %s', async (_, changes) => {
    const { refusal } = await open()
    const error = await refusal(arrived(fake.webhook('r1'), changes))
    expect(error).toMatchObject({ code: 'signature_invalid', attribution: 'client', retryable: false })
  })

  it('is not one when its body was changed', async () => {
    const { refusal } = await open()
    const message = fake.webhook('r1')
    const error = await refusal(arrived({ ...message, body: Buffer.from(`${message.body} `) }))
    expect(error.code).toBe('signature_invalid')
  })

  it('is not one when it is older or newer than five minutes', async () => {
    const { read, refusal } = await open()
    for (const offsetMs of [-310_000, 310_000]) {
      const error = await refusal(arrived(fake.webhook('r1', Date.now() + offsetMs)))
      expect(error.code).toBe('signature_invalid')
    }
    expect(await read(arrived(fake.webhook('r1', Date.now() - 290_000)))).toEqual({ id: 'r1' })
  })

  it('makes Gesso ask for new keys where none fits, once a minute at most', async () => {
    const { read, refusal } = await open()
    await read(arrived(fake.webhook('r1')))
    fake.changeKey()
    for (let count = 0; count < 5; count++) await refusal(arrived(fake.webhook('r1')))
    expect(questionsForKeys()).toHaveLength(1)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 })
    expect(await read(arrived(fake.webhook('r3')))).toEqual({ id: 'r3' })
    expect(questionsForKeys()).toHaveLength(2)
  })
})

describe('forgeries', () => {
  const forged = () => arrived(fake.webhook('r1'), { 'x-fal-webhook-signature': 'ab'.repeat(64) })

  it('that come all at once make Gesso ask for the keys once', async () => {
    const { refusal } = await open()
    const errors = await Promise.all(Array.from({ length: 20 }, () => refusal(forged())))
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['signature_invalid']))
    expect(questionsForKeys()).toHaveLength(1)
  })

  it('make Gesso ask for the keys once a minute where fal does not tell them', async () => {
    fake = await startFakeFal()
    const provider = connect(fake.url, { jwks_url: `${fake.origin}/files/none` })
    const refused = () => errorOf(provider.readWebhook?.(forged(), signal()) ?? Promise.resolve(undefined))
    const count = () => fake.requests.filter(({ path }) => path.endsWith('/none')).length
    for (let index = 0; index < 5; index++) expect(await refused()).toMatchObject({ retryable: true })
    expect(count()).toBe(1)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 })
    await refused()
    expect(count()).toBe(2)
  })
})

describe('where the keys cannot be had', () => {
  it('the message may come again', async () => {
    fake = await startFakeFal()
    const provider = connect(fake.url, { jwks_url: `${fake.origin}/files/none` })
    const { headers, body } = arrived(fake.webhook('r1'))
    const error = await errorOf(provider.readWebhook?.({ headers, body }, signal()) ?? Promise.resolve())
    expect(error).toMatchObject({ code: 'upstream_unavailable', retryable: true })
  })
})
