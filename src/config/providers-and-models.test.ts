/** What an operator is told about `providers:` and `models:`: every slip, where it is, and never a secret. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConfigError } from './config-error.ts'
import { loadConfig } from './load-config.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gesso-config-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function load(yaml: string, env: NodeJS.ProcessEnv = {}) {
  writeFileSync(join(folder, 'gesso.yaml'), yaml)
  return loadConfig(env, folder)
}

function problemsOf(yaml: string, env: NodeJS.ProcessEnv = {}): string[] {
  try {
    load(yaml, env)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ source, setting, expected, found }) =>
      `${source.replace(folder, '')} ${setting}: ${expected}${found ? `; ${found}` : ''}`.trim(),
    )
  }
  return []
}

const noSettings = 'settings as `name: value` lines'
const key = "the vendor's key: one line of letters, digits and signs"

describe('a secret in the wrong place', () => {
  test.each([
    ['a key in the place of a section', 'providers:\n  ark: hunter2', `:2 providers.ark: ${noSettings}`],
    ['a list of keys', 'providers:\n  fal:\n    - hunter2', `:3 providers.fal: ${noSettings}`],
    ['a key in the place of all sections', 'providers: hunter2', `:1 providers: ${noSettings}`],
    ['keys by name', 'providers:\n  bfl:\n    api_key: { a: hunter2 }', `:3 providers.bfl.api_key: ${key}`],
    ['sections in the place of a list', 'models:\n  a: { api_key: hunter2 }', ':2 models: a list of models'],
    ['a model that is only a word', 'models: [hunter2]', `:1 models.0: ${noSettings}`],
    [
      'an alias that nobody marked',
      'providers:\n  bfl:\n    api_key: *hunter2',
      ' : values that begin with *',
    ],
  ])('%s is a problem, and is not shown', (_name, yaml, expected) => {
    const told = problemsOf(yaml)
    expect(told).toHaveLength(1)
    expect(told[0]).toContain(`/gesso.yaml${expected}`)
    expect(told[0]).not.toContain('hunter2')
  })

  test('is also told where the environment would have put a good one over it', () => {
    expect(problemsOf('providers:\n  ark: hunter2', { ARK_API_KEY: 'good' })).toEqual([
      `/gesso.yaml:2 providers.ark: ${noSettings}; a single value (not shown)`,
    ])
  })
})

test('a section without a word in it is told as empty', () => {
  expect(problemsOf('providers:\n  bfl:\n')).toEqual([`/gesso.yaml:2 providers.bfl: ${noSettings}; nothing`])
  expect(problemsOf('providers:\n  bfl:\n    api_key: ""')).toEqual([
    `/gesso.yaml:3 providers.bfl.api_key: ${key}; an empty text`,
  ])
})

describe('a key', () => {
  test.each([
    ['a line end in it', 'bfl\nhunter2'],
    ['a blank in it', 'Bearer hunter2'],
    ['letters that no header can hold', 'ключ-hunter2'],
  ])('with %s is refused before anything is sent', (_name, value) => {
    expect(problemsOf('{}', { BFL_API_KEY: value })).toEqual([
      `BFL_API_KEY providers.bfl.api_key: ${key}; another value (not shown)`,
    ])
  })

  test('loses the line end of the file that it was read from', () => {
    const { config } = load('{}', { BFL_API_KEY: 'bfl-1\n' })
    expect(config.providers.bfl?.api_key?.reveal()).toBe('bfl-1')
  })

  test.each(['', '  ', '\n'])('of %j is none', (value) => {
    expect(load('{}', { BFL_API_KEY: value }).config.providers.bfl?.api_key).toBeUndefined()
  })
})

describe('a base URL', () => {
  test.each(['http://h:1/v1', 'http://h:1/v1/', ' http://h:1/v1\n', 'http://h:1/v1//'])(
    '%j is one',
    (value) => {
      const { config, warnings } = load('{}', { BFL_BASE_URL: value })
      expect(config.providers.bfl?.base_url).toBe('http://h:1/v1')
      expect(warnings).toEqual([])
    },
  )

  test.each(['http://h:1/v1?key=hunter2', 'http://h:1/v1#a'])('%s cannot have paths behind it', (value) => {
    expect(problemsOf('{}', { BFL_BASE_URL: value })).toEqual([
      'BFL_BASE_URL providers.bfl.base_url: a URL without ? and #, such as https://api.bfl.ai/v1; another value (not shown)',
    ])
  })

  test('may be copied whole for Azure, where the adapter reads it', () => {
    const AZURE_OPENAI_ENDPOINT =
      'https://acme.openai.azure.com/openai/deployments/d?api-version=2025-04-01-preview'
    expect(problemsOf('{}', { AZURE_OPENAI_ENDPOINT })).toEqual([])
  })

  test.each([
    ['OPENAI_BASE_URL', 'http://h:1', 'https://api.openai.com/v1'],
    ['BFL_BASE_URL', 'https://api.bfl.ai/', 'https://api.bfl.ai/v1'],
    ['GEMINI_BASE_URL', 'http://h:1/', 'https://generativelanguage.googleapis.com/v1beta'],
  ])('%s without the path of a version is worth a warning', (variable, value, usual) => {
    const { warnings } = load('{}', { [variable]: value })
    expect(warnings).toEqual([expect.stringContaining(`${variable} has no path`)])
    expect(warnings[0]).toContain(usual)
  })

  test('of a vendor that has no version in its own may have no path', () => {
    expect(load('{}', { FAL_BASE_URL: 'http://h:1' }).warnings).toEqual([])
  })
})

test.each([
  [
    { AZURE_OPENAI_API_KEY: 'k' },
    'Azure OpenAI has a key and no address: it is off until AZURE_OPENAI_ENDPOINT is set',
  ],
  [
    { AZURE_OPENAI_ENDPOINT: 'https://acme.openai.azure.com' },
    'Azure OpenAI has an address and no key: it is off until AZURE_OPENAI_API_KEY is set',
  ],
])('half of what Azure needs, %j, is worth a warning', (env, warning) => {
  expect(load('{}', env).warnings).toEqual([warning])
  expect(
    load('{}', { AZURE_OPENAI_API_KEY: 'k', AZURE_OPENAI_ENDPOINT: 'https://a.example', ...env }).warnings,
  ).toEqual([])
})

describe('models', () => {
  const entry = (own: string) => `models:\n  - { id: mine, provider: openai${own} }`

  test.each([
    [
      'a dialect that the provider has not',
      entry(', dialect: nope'),
      ['2 models.0.dialect: one of openai-compatible, gpt-image; "nope"'],
    ],
    [
      'a dialect where there is one only',
      'models: [{ id: a, provider: azure, dialect: nope }]',
      ['1 models.0.dialect: nothing: azure has one dialect; "nope"'],
    ],
    ['no sizes at all', entry(', sizes: []'), ['2 models.0.sizes: a list of sizes such as 1024x1024; []']],
    [
      'an alias that no request could name',
      entry(', aliases: ["a b"]'),
      [expect.stringContaining('2 models.0.aliases: a list of names')],
    ],
    [
      'an alias that is the id of another model',
      entry(', aliases: [gpt-image-2]'),
      ['2 models.0.aliases: names that no other model has; ["gpt-image-2"]'],
    ],
    [
      'an id twice',
      `${entry('')}\n  - { id: mine, provider: bfl }`,
      ['3 models.1.id: an id that no model above has; "mine"'],
    ],
    [
      'an alias twice',
      `${entry(', aliases: [m]')}\n  - { id: b, provider: bfl, aliases: [m] }`,
      ['3 models.1.aliases: names that no other model has; ["m"]'],
    ],
  ])('%s is a problem', (_name, yaml, expected) => {
    expect(problemsOf(yaml).map((told) => told.replace('/gesso.yaml:', ''))).toEqual(expected)
  })

  test('a provider that does not exist is one problem, whatever its dialect', () => {
    const told = problemsOf('models: [{ id: a, provider: nobody, dialect: x }]')
    expect(told).toEqual([expect.stringContaining('models.0.provider: one of collage, openai, ')])
  })

  test('may take the place of a built-in one, and its aliases', () => {
    expect(problemsOf('models: [{ id: flux-1-schnell, provider: openai, aliases: [flux-schnell] }]')).toEqual(
      [],
    )
  })
})
