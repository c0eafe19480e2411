/** When a request is known by what it says, over HTTP without a network. */
import Fastify from 'fastify'
import { expect, test } from 'vitest'
import { readRepetition, readRetryCount } from './read-repetition.ts'

interface Asked {
  path?: string
  body?: object
  joinsSdkRetries?: boolean
  handling?: 'default' | 'lenient'
}

async function known(
  headers: Record<string, string>,
  { path = '/v1/a', body = { prompt: 'a fox' }, joinsSdkRetries = true, handling = 'default' }: Asked = {},
) {
  const server = Fastify()
  for (const url of ['/v1/a', '/v1/b']) {
    server.post(url, async (request) => {
      const one = await readRepetition({ joinsSdkRetries }, request, { body: request.body, handling })
      return one ? { ...one, fingerprint: one.fingerprint.toString('hex') } : {}
    })
  }
  const answer = await server.inject({ method: 'POST', url: path, headers, body })
  return answer.json()
}

const fromSdk = { 'x-stainless-retry-count': '0' }
const print = expect.stringMatching(/^[0-9a-f]{64}$/)

test('nothing is known, and nothing hashed, of a request with neither a key nor a count', async () => {
  expect(await known({})).toEqual({})
  expect(await known({ 'x-stainless-retry-count': 'x' })).toEqual({})
  expect(await known(fromSdk, { joinsSdkRetries: false })).toEqual({})
})

test('a key goes before a count, and counts without being believed', async () => {
  expect(await known(fromSdk)).toEqual({ fingerprint: print, retryCount: 0 })
  const keyed = { 'idempotency-key': 'abc', 'x-stainless-retry-count': '3' }
  expect(await known(keyed, { joinsSdkRetries: false })).toEqual({
    key: 'abc',
    fingerprint: print,
    retryCount: 3,
  })
  expect(await known({ ...keyed, 'x-stainless-retry-count': '-1' })).toMatchObject({
    key: 'abc',
    retryCount: 0,
  })
})

test('the operation, the body and the handling make the request; who asks and how often does not', async () => {
  const { fingerprint } = await known(fromSdk)
  const same = await known({
    'x-stainless-retry-count': '1',
    'user-agent': 'another',
    'idempotency-key': 'k',
  })
  expect(same.fingerprint).toBe(fingerprint)
  const others: Asked[] = [{ path: '/v1/b' }, { body: { prompt: 'a cat' } }, { handling: 'lenient' }]
  for (const other of others) {
    expect((await known(fromSdk, other)).fingerprint).not.toBe(fingerprint)
  }
})

test.each([
  ['0', 0],
  ['2', 2],
  ['100', 100],
  ['101', undefined],
  ['-1', undefined],
  ['1.5', undefined],
  ['1e1', undefined],
  ['', undefined],
  ['0, 0', undefined],
  ['four', undefined],
  [undefined, undefined],
])('a retry count of %j is %j', (header, count) => {
  expect(readRetryCount(header)).toBe(count)
})
