import { validateWebhook } from 'replicate'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signMessage } from '../../../test/upstreams/replicate.ts'
import { Secret } from '../../lib/secret.ts'
import { serveHttp } from '../../net/testing/loopback.ts'
import { replicate } from './replicate.ts'
import { predictionCall } from './replicate-request.ts'
import { asFailure, type OpenReplicate, openReplicate } from './testing/open-replicate.ts'

const signingSecret = `whsec_${Buffer.from('a secret of thirty-two bytes, yes').toString('base64')}`
const body = Buffer.from(JSON.stringify({ id: '5pcmjq6sfnrmc0cram79p95eg4', status: 'succeeded' }))

let world: OpenReplicate
beforeAll(async () => {
  const options = { webhook_secret: new Secret(signingSecret) }
  world = await openReplicate({ webhookSecret: signingSecret }, { options })
})
afterAll(() => world[Symbol.asyncDispose]())

function read(headers: Record<string, string>, bytes: Buffer = body) {
  const webhook = { headers: { get: (name: string) => headers[name] }, body: bytes }
  return world.provider.readWebhook?.(webhook, AbortSignal.timeout(1_000)).catch(asFailure)
}

const refused = { code: 'signature_invalid', attribution: 'client', dispatched: 'no', retryable: false }

describe('a message', () => {
  it('of Replicate names the prediction it is about', async () => {
    expect(await read(signMessage(signingSecret, body))).toEqual({ id: '5pcmjq6sfnrmc0cram79p95eg4' })
  })

  it('that the official client takes for Replicate’s is taken here too', async () => {
    const headers = signMessage(signingSecret, body)
    const request = {
      id: headers['webhook-id'] ?? '',
      timestamp: headers['webhook-timestamp'] ?? '',
      signature: headers['webhook-signature'] ?? '',
      body: body.toString(),
      secret: signingSecret,
    }
    expect(await validateWebhook(request)).toBe(true)
  })

  it('may be signed with the next secret beside this one', async () => {
    const headers = signMessage(signingSecret, body)
    const other = signMessage('whsec_AAAA', body)['webhook-signature']
    const both = `${other} ${headers['webhook-signature']} v2,short`
    expect(await read({ ...headers, 'webhook-signature': both })).toHaveProperty('id')
  })

  it.each([
    ['of another secret', signMessage('whsec_AAAA', body)],
    ['of six minutes ago', signMessage(signingSecret, body, { atMs: Date.now() - 360_000 })],
    ['of the future', signMessage(signingSecret, body, { atMs: Date.now() + 360_000 })],
    ['of another body', signMessage(signingSecret, `${body} `)],
    ['that renames itself', { ...signMessage(signingSecret, body), 'webhook-id': 'msg_2' }],
    ['without a signature', { ...signMessage(signingSecret, body), 'webhook-signature': '' }],
    ['without a time', { ...signMessage(signingSecret, body), 'webhook-timestamp': 'now' }],
    ['without headers', {}],
  ])('%s is refused', async (_, headers) => {
    expect(await read(headers)).toMatchObject(refused)
  })

  it.each(['{}', '[]', 'nonsense', '{"id":"../1"}'])('that says %s is about nothing', async (text) => {
    const bytes = Buffer.from(text)
    expect(await read(signMessage(signingSecret, bytes), bytes)).toMatchObject(refused)
  })
})

it('without its secret no message is read', async () => {
  await using plain = await openReplicate()
  expect(plain.provider.readWebhook).toBeUndefined()
})

it('the secret comes from the environment and is never printed', () => {
  expect(replicate.environment.options).toEqual({ webhook_secret: 'REPLICATE_WEBHOOK_SIGNING_SECRET' })
  const setting = replicate.options?.webhook_secret?.parse(signingSecret)
  expect(setting).toBeInstanceOf(Secret)
  expect(JSON.stringify(setting)).not.toContain(signingSecret)
  expect(replicate.options?.webhook_secret?.parse(undefined)).toBeUndefined()
})

it.each(['whsec_', 'whsec_c2hvcnQ=', 'whsec_!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!', ' '])(
  'a secret that signs what anybody can sign is none: %j',
  (text) => {
    expect(replicate.options?.webhook_secret?.safeParse(text)).toMatchObject({ success: false })
  },
)

it('a prediction tells its end to the webhook, in a message that is read', async () => {
  const messages: { headers: Record<string, string>; body: Buffer }[] = []
  const server = await serveHttp((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      messages.push({ headers: request.headers as Record<string, string>, body: Buffer.concat(chunks) })
      response.end()
    })
  })
  const begun = await world.start({ webhookUrl: `${server.origin}/hook` })
  if (!('operation' in begun)) throw begun
  await expect.poll(() => messages.length).toBe(1)
  const [message] = messages
  expect(await read(message?.headers ?? {}, message?.body)).toEqual({ id: begun.operation.id })
  await server.close()
})

it('Replicate is not told of an address that it would refuse', () => {
  const request = { taskId: 'image_1', model: 'black-forest-labs/flux-dev', prompt: 'a heron', n: 1 }
  const frame = (webhookUrl: string, trusted: boolean) =>
    predictionCall({ ...request, webhookUrl }, { title: 'Replicate', trusted }).frame
  expect(frame('http://gesso.test/hook', false)).toEqual({})
  expect(frame('http://gesso.test/hook', true)).toMatchObject({ webhook: 'http://gesso.test/hook' })
  expect(frame('https://gesso.test/hook', false)).toMatchObject({ webhook: 'https://gesso.test/hook' })
})
