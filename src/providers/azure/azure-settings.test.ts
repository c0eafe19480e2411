import { describe, expect, it } from 'vitest'
import { resourceOf } from './azure-address.ts'
import { azureSettings } from './azure-settings.ts'

describe('the settings of Azure OpenAI', () => {
  it('may all be absent', () => {
    expect(azureSettings.parse({})).toEqual({ deployments: {} })
  })

  it('hold what they were given, and can be read again', () => {
    const settings = { deployments: { 'gpt-image-2': 'pictures' }, api_version: '2025-04-01-preview' }
    expect(azureSettings.parse(azureSettings.parse(settings))).toEqual(settings)
  })

  it.each([
    [{ deployments: 'pictures' }, "deployments' names by model"],
    [{ deployments: { 'gpt-image-2': '' } }, "a deployment's name"],
    [{ api_version: 'yesterday' }, 'a version such as 2025-04-01-preview; v1 or preview; or nothing'],
    [{ api_version: 7 }, 'a version such as 2025-04-01-preview; v1 or preview; or nothing'],
    [{ api_version: '2025-04-01&x=y' }, 'a version such as 2025-04-01-preview; v1 or preview; or nothing'],
  ])('%j says what was expected', (settings, expected) => {
    const { error } = azureSettings.safeParse(settings)
    expect(error?.issues.map(({ message }) => message)).toEqual([expected])
  })
})

describe('the address of a resource', () => {
  it.each([
    ['https://acme.openai.azure.com/', 'https://acme.openai.azure.com'],
    ['https://acme.openai.azure.com/openai/v1/', 'https://acme.openai.azure.com'],
    [
      'https://acme.openai.azure.com/openai/deployments/d/images/generations?api-version=2025-04-01-preview',
      'https://acme.openai.azure.com',
    ],
    ['https://acme.openai.azure.com/openai/v1/images/generations', 'https://acme.openai.azure.com'],
    [
      'https://acme.services.ai.azure.com/api/projects/p',
      'https://acme.services.ai.azure.com/api/projects/p',
    ],
    ['http://127.0.0.1:8080/openai/openai/v1', 'http://127.0.0.1:8080/openai'],
  ])('of %s is %s', (endpoint, resource) => {
    expect(resourceOf(endpoint)).toBe(resource)
  })
})
