import { expect, test } from 'vitest'
import type { Provider, ProviderRequest } from '../providers/provider.ts'
import { callProvider } from './call-provider.ts'

test('after a stop no provider is asked, and the caller may ask again', async () => {
  const asked: ProviderRequest[] = []
  // It does not look at the signal, as an adapter may not before it has read its inputs.
  const adapter: Provider = {
    id: 'eager',
    async start(request) {
      asked.push(request)
      return { status: 'completed', images: [] }
    },
  }
  const reported: unknown[] = []
  const dependencies = { events: { providerAnswered: (fact: unknown) => reported.push(fact) } }
  const call = {
    route: { provider: 'eager', upstreamModel: 'm', dialect: undefined, adapter },
    request: { taskId: 'image_1', model: 'm', prompt: 'x', n: 1 },
  }
  await expect(callProvider(dependencies, call, AbortSignal.abort())).rejects.toMatchObject({
    code: 'overloaded',
    dispatched: 'no',
    retryable: true,
  })
  expect([asked, reported]).toEqual([[], []])
  await callProvider(dependencies, call, new AbortController().signal)
  expect([asked.length, reported.length]).toEqual([1, 1])
})
