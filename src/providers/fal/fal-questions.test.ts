/** What fal hands out for later questions, and how the questions are asked. */
import { afterEach, describe, expect, it } from 'vitest'
import { createProviderHttp, type ProviderHttpCall } from '../http.ts'
import { fal } from './fal.ts'
import { closeOpened, connect, errorOf, key, openScript, requestFor, signal } from './testing/scripted-fal.ts'

afterEach(closeOpened)

async function submit(reply: object) {
  const { url, seen } = await openScript([{ reply }, { reply: { status: 'IN_QUEUE' } }])
  return { started: connect(url).start(requestFor(), signal()), provider: connect(url), url, seen }
}

describe('an address', () => {
  it('that is too long is built instead, and never used without its end', async () => {
    const { started, provider, seen } = await submit({
      request_id: 'r1',
      status_url: `https://queue.fal.run/a?${'b'.repeat(3_000)}`,
    })
    const outcome = await started
    if (outcome.status === 'completed') throw new Error('fal always answers later')
    expect(outcome.operation.statusUrl).toBeUndefined()
    await provider.check?.(outcome.operation, signal())
    expect(seen[1]?.path).toBe('/fal-ai/flux/requests/r1/status')
  })

  it.each(['.', '..', '', '/'])('is not built of an id such as %j', async (request_id) => {
    const { started } = await submit({ request_id })
    expect(await errorOf(started)).toMatchObject({ code: 'upstream_invalid_response', dispatched: 'yes' })
  })
})

it('a question is given up after half a minute, so that it can be asked again', async () => {
  const { url } = await openScript([
    { reply: { status: 'COMPLETED' } },
    { reply: { images: [{ url: 'https://v3.fal.media/files/a.png' }] } },
  ])
  await using http = createProviderHttp()
  const calls: ProviderHttpCall[] = []
  const getJson = (call: ProviderHttpCall) => {
    calls.push(call)
    return http.getJson(call)
  }
  const provider = fal.create(
    { baseUrl: url, apiKey: key, timeoutMs: 300_000, maxResponseBytes: 1_000_000 },
    { http: { ...http, getJson }, rasterise: () => Promise.reject(new Error('not used')) },
  )
  await provider.check?.({ id: 'r1', endpoint: 'fal-ai/flux/dev', n: 1 }, signal())
  expect(calls.map(({ timeoutMs }) => timeoutMs)).toEqual([30_000, 30_000])
})

it('no refusal repeats the address of the webhook', async () => {
  const webhookUrl = 'https://gesso.example/hooks/8c1f0e2d4b6a'
  const detail = [{ loc: ['query', 'fal_webhook'], msg: `cannot reach ${webhookUrl}`, type: 'value_error' }]
  const { url } = await openScript([{ status: 422, reply: { detail } }])
  const error = await errorOf(connect(url).start(requestFor({ webhookUrl }), signal()))
  expect(error).toMatchObject({ code: 'invalid_image_request', dispatched: 'no' })
  expect(`${error.message} ${error.detail}`).not.toContain('8c1f0e2d4b6a')
})
