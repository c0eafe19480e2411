import { expect, it } from 'vitest'
import { fakeReplicateKey } from '../../../test/upstreams/replicate.ts'
import { createProviderHttp, type ProviderHttpCall } from '../http.ts'
import { replicate } from './replicate.ts'
import { openReplicate } from './testing/open-replicate.ts'

it('a question is given up after half a minute, so that it can be asked again', async () => {
  await using world = await openReplicate()
  const begun = await world.start()
  if (!('operation' in begun)) throw begun
  await using http = createProviderHttp()
  const calls: ProviderHttpCall[] = []
  const getJson = (call: ProviderHttpCall) => {
    calls.push(call)
    return http.getJson(call)
  }
  const provider = replicate.create(
    { baseUrl: world.upstream.url, apiKey: fakeReplicateKey, timeoutMs: 300_000, maxResponseBytes: 1e6 },
    { http: { ...http, getJson }, rasterise: () => Promise.reject(new Error('not used')) },
  )
  await provider.check?.(begun.operation, AbortSignal.timeout(5_000))
  expect(calls.map(({ timeoutMs }) => timeoutMs)).toEqual([30_000])
})
