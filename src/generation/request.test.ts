import { expect, test } from 'vitest'
import { type GenerationRequest, toStoredRequest } from './request.ts'

const request: GenerationRequest = {
  model: 'm',
  prompt: 'a fox',
  fields: {
    n: 1,
    size: { width: 64, height: 32 },
    loraWeights: 'https://example.com/ink.safetensors?token=secret-1',
    extraLoraWeights: ['acme/paper', 'https://example.com/b#secret-2'],
  },
  images: [{ kind: 'url', url: 'https://example.com/a.png?sig=secret-3', param: 'image' }],
  permanentLinks: false,
  handling: 'default',
  defaulted: new Set(),
  warnings: [],
}

test('a task row says what was asked, and holds no key of an address', () => {
  const stored = toStoredRequest(request)
  expect(stored).toMatchObject({
    prompt: 'a fox',
    size: '64x32',
    images: 1,
    loraWeights: 'https://example.com/ink.safetensors',
    extraLoraWeights: ['acme/paper', 'https://example.com/b'],
  })
  expect(JSON.stringify(stored)).not.toContain('secret')
})
