import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fakeAzureKey, startFakeAzure } from '../../test/upstreams/azure.ts'
import type { FakeUpstream } from '../../test/upstreams/fake-upstream.ts'
import { startFakeOpenAi } from '../../test/upstreams/openai.ts'
import { createProviderHttp } from './http.ts'
import { openProviders } from './open-providers.ts'
import { providerDefinitions } from './registry.ts'
import { providerSettings } from './settings.ts'

const http = createProviderHttp()
const patience = () => AbortSignal.timeout(5_000)
let openAi: FakeUpstream
let azure: FakeUpstream
beforeAll(async () => {
  openAi = await startFakeOpenAi({ apiKey: 'the-accounts-own' })
  azure = await startFakeAzure()
})
afterAll(async () => {
  await Promise.all([openAi.close(), azure.close(), http.close()])
})

function open(settings: Parameters<typeof providerSettings.parse>[0]) {
  const rasterise = () => Promise.reject(new Error('not used'))
  return openProviders(providerDefinitions, providerSettings.parse(settings), { http, rasterise })
}

describe('a key of an account', () => {
  it('is of use for every vendor with keys, whether the server has one or not', () => {
    const providers = open({ openai: { api_key: 'the-servers' } })
    const takers = providerDefinitions.map(({ id }) => id).filter((id) => providers.acceptsOwnKeys(id))
    expect(takers).toEqual(['openai', 'replicate', 'bfl', 'dashscope', 'ark', 'gemini', 'fal'])
    for (const { id } of providerDefinitions) {
      expect(providers.withKey(id, 'k')?.id, id).toBe(takers.includes(id) ? id : undefined)
    }
    expect(providers.get('replicate')).toBeUndefined()
    expect(providers.acceptsOwnKeys('nobody')).toBe(false)
    expect(providers.withKey('nobody', 'k')).toBeUndefined()
  })

  it('takes the place of the server’s, at the address of the server', async () => {
    const providers = open({ openai: { api_key: 'the-servers', base_url: openAi.url } })
    await providers.withKey('openai', 'the-accounts-own')?.checkKey?.(patience())
    expect(openAi.requests.at(-1)?.headers.authorization).toBe('Bearer the-accounts-own')
    await expect(providers.get('openai')?.checkKey?.(patience())).rejects.toMatchObject({ dispatched: 'no' })
    expect(openAi.requests.at(-1)?.headers.authorization).toBe('Bearer the-servers')
  })

  it('is of use for Azure where the operator has said which resource', async () => {
    const providers = open({ azure: { base_url: azure.url, api_version: '2025-04-01-preview' } })
    expect(providers.get('azure')).toBeUndefined()
    expect(providers.acceptsOwnKeys('azure')).toBe(true)
    await providers.withKey('azure', fakeAzureKey)?.checkKey?.(patience())
    expect(azure.requests.at(-1)).toMatchObject({
      path: '/openai/models?api-version=2025-04-01-preview',
      headers: { 'api-key': fakeAzureKey },
    })
  })

  it('is of use by the defaults where nothing at all is said of the vendor', () => {
    const rasterise = () => Promise.reject(new Error('not used'))
    const providers = openProviders(providerDefinitions, {}, { http, rasterise })
    expect(providers.get('fal')).toBeUndefined()
    expect(providers.withKey('fal', 'k')?.id).toBe('fal')
  })
})
