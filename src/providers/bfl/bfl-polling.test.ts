import { describe, expect, it } from 'vitest'
import { builtPollingUrl, ownPollingUrl } from './bfl-polling.ts'

const official = 'https://api.bfl.ai/v1'

describe('an address to ask at', () => {
  it.each([
    [official, 'https://api.bfl.ai/v1/get_result?id=1'],
    [official, 'https://api.eu2.bfl.ai/v1/get_result?id=1'],
    [official, 'https://bfl.ai/v1/get_result?id=1'],
    [official, 'https://API.US1.BFL.AI/v1/get_result?id=1#here'],
    ['https://api.eu.bfl.ai/v1', 'https://api.us.bfl.ai/v1/get_result?id=1'],
    ['https://bfl-proxy.example/bfl/v1', 'https://bfl-proxy.example/elsewhere?id=1'],
    ['http://127.0.0.1:8080/v1', 'http://127.0.0.1:8080/v1/get_result?id=1'],
  ])('of %s may be %s, as it is', (baseUrl, told) => {
    expect(ownPollingUrl(told, baseUrl)).toBe(told)
  })

  it.each([
    [official, undefined],
    [official, 'get_result?id=1'],
    [official, 'http://api.bfl.ai/v1/get_result?id=1'],
    [official, 'https://api.bfl.ai:8443/v1/get_result?id=1'],
    [official, 'https://api.bfl.ai.evil.example/v1/get_result?id=1'],
    [official, 'https://evilbfl.ai/v1/get_result?id=1'],
    [official, 'https://api.bfl.ai@evil.example/v1/get_result?id=1'],
    [official, 'https://evil.example\\@api.bfl.ai/v1/get_result?id=1'],
    [official, 'https://someone:secret@api.bfl.ai/v1/get_result?id=1'],
    [official, 'https://api.bfl.ai./v1/get_result?id=1'],
    ['https://bfl-proxy.example/v1', 'https://api.bfl.ai/v1/get_result?id=1'],
    ['https://bfl-proxy.example/v1', 'https://api.bfl-proxy.example/v1/get_result?id=1'],
    ['http://127.0.0.1:8080/v1', 'http://127.0.0.1:8081/v1/get_result?id=1'],
    ['http://api.bfl.ai/v1', 'https://api.eu2.bfl.ai/v1/get_result?id=1'],
  ])('of %s is not %s', (baseUrl, told) => {
    expect(ownPollingUrl(told, baseUrl)).toBeUndefined()
  })

  it('is built from the id where none can be used', () => {
    expect(builtPollingUrl('a/b&c', official)).toBe('https://api.bfl.ai/v1/get_result?id=a%2Fb%26c')
  })
})
