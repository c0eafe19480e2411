import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { startFakeBfl } from '../../../test/upstreams/bfl.ts'
import { closeOpened, connect, requestFor } from './testing/scripted-server.ts'

afterEach(closeOpened)

const apiKey = 'bfl-key-1'
const secret = createHmac('sha256', apiKey).update('gesso bfl webhook').digest('hex')
const message = JSON.stringify({ id: 'work-1', status: 'Ready', result: null })
const signature = (body: string, key = secret) => createHmac('sha256', key).update(body).digest('hex')

async function read(headers: Record<string, string>, body = message) {
  const webhook = { headers: { get: (name: string) => headers[name] }, body: Buffer.from(body) }
  return connect('http://127.0.0.1:9/v1', apiKey).readWebhook?.(webhook, AbortSignal.timeout(1_000))
}

describe('a message', () => {
  it.each([
    ['with the signature', { 'x-bfl-signature': `sha256=${signature(message)}` }],
    ['with the bare signature in capitals', { 'x-bfl-signature': signature(message).toUpperCase() }],
    ['with the signature under its long name', { 'x-bfl-signature-256': `sha256=${signature(message)}` }],
    ['with the secret itself', { 'x-webhook-secret': secret }],
  ])('%s names the work', async (_, headers) => {
    expect(await read(headers)).toEqual({ id: 'work-1' })
  })

  it('may call its id a task id, and says nothing else', async () => {
    const body = JSON.stringify({
      task_id: 'work-2',
      status: 'Ready',
      result: { sample: 'https://evil.example' },
    })
    expect(await read({ 'x-bfl-signature': signature(body) }, body)).toEqual({ id: 'work-2' })
  })

  it.each<[string, Record<string, string>]>([
    ['nothing', {}],
    ['an empty signature', { 'x-bfl-signature': '', 'x-webhook-secret': '' }],
    ['the signature of another message', { 'x-bfl-signature': signature(`${message} `) }],
    ['a signature by another key', { 'x-bfl-signature': signature(message, 'other') }],
    ['a signature by the API key', { 'x-bfl-signature': signature(message, apiKey) }],
    ['half a signature', { 'x-bfl-signature': signature(message).slice(0, 32) }],
    ['the signature in the place of the secret', { 'x-webhook-secret': signature(message) }],
  ])('with %s is not believed', async (_, headers) => {
    const refusal = { code: 'signature_invalid', attribution: 'client', dispatched: 'no', retryable: false }
    await expect(read(headers)).rejects.toMatchObject(refusal)
  })

  it.each(['', 'It works!', '{}', '{"id":7}', '[]', 'null'])('that is %j names no work', async (body) => {
    const reading = read({ 'x-bfl-signature': signature(body) }, body)
    await expect(reading).rejects.toMatchObject({ code: 'upstream_invalid_response', retryable: false })
  })

  it('of the fake is read by any process with the key', async () => {
    const received = Promise.withResolvers<{ headers: IncomingHttpHeaders; body: Buffer }>()
    const listener = createServer(async (request, response) => {
      received.resolve({ headers: request.headers, body: await buffer(request) })
      response.end()
    })
    listener.listen(0, '127.0.0.1')
    await once(listener, 'listening')
    await using fake = await startFakeBfl()
    const webhookUrl = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/hook`
    const started = await connect(fake.url).start(requestFor({ webhookUrl }), AbortSignal.timeout(5_000))
    const { headers, body } = await received.promise
    listener.close()
    const webhook = { headers: { get: (name: string) => headers[name]?.toString() }, body }
    const read = await connect(fake.url).readWebhook?.(webhook, AbortSignal.timeout(1_000))
    expect(started).toMatchObject({ status: 'pending', operation: read })
  })
})
