/** What is said of a provider names what is missing, and not what is there already. */
import { expect, test } from 'vitest'
import { configSchema } from '../config/config.ts'
import { providerText, survey } from './survey.ts'

function textOf(id: string, settings: object): string | undefined {
  const { providers } = survey(configSchema.parse({ providers: { [id]: settings } }))
  return providers.filter((provider) => provider.id === id).map(providerText)[0]
}

const address = 'https://acme.openai.azure.com'

test.each([
  ['openai', {}, 'OpenAI: off, OPENAI_API_KEY turns it on'],
  ['openai', { api_key: 'k' }, 'OpenAI: on'],
  ['openai', { base_url: 'http://127.0.0.1:1/v1' }, 'OpenAI: on'],
  ['openai', { base_url: 'https://api.openai.com/v1' }, 'OpenAI: off, OPENAI_API_KEY turns it on'],
  ['openai', { base_url: 'https://api.openai.com/' }, 'OpenAI: off, OPENAI_API_KEY turns it on'],
  ['azure', {}, 'Azure OpenAI: off, AZURE_OPENAI_API_KEY and AZURE_OPENAI_ENDPOINT turn it on'],
  ['azure', { api_key: 'k' }, 'Azure OpenAI: off, AZURE_OPENAI_ENDPOINT turns it on'],
  ['azure', { base_url: address }, 'Azure OpenAI: off, AZURE_OPENAI_API_KEY turns it on'],
  ['azure', { api_key: 'k', base_url: address }, 'Azure OpenAI: on'],
  ['collage', {}, 'Gesso Collage: on, needs no key'],
])('%s with %j', (id, settings, text) => {
  expect(textOf(id, settings)).toBe(text)
})

test('half of what Azure needs: the variable is the one that is not there yet', () => {
  const variableOf = (azure: object) =>
    survey(configSchema.parse({ providers: { azure } })).providers.find(({ id }) => id === 'azure')?.variable
  expect(variableOf({})).toBe('AZURE_OPENAI_API_KEY')
  expect(variableOf({ api_key: 'k' })).toBe('AZURE_OPENAI_ENDPOINT')
})
