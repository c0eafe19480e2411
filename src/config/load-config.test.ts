import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { providerDefinitions } from '../providers/registry.ts'
import { ConfigError } from './config-error.ts'
import { loadConfig } from './load-config.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gesso-config-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function load(yaml: string | undefined, env: NodeJS.ProcessEnv = {}) {
  if (yaml !== undefined) writeFileSync(join(folder, 'gesso.yaml'), yaml)
  return loadConfig(env, folder)
}

function problemsOf(yaml: string | undefined, env: NodeJS.ProcessEnv = {}): string[] {
  try {
    load(yaml, env)
  } catch (error) {
    if (error instanceof ConfigError) return error.message.replaceAll(folder, '').split('\n').slice(1)
    throw error
  }
  return []
}

test('nothing at all is a good configuration: loopback, port 4100, data beside the checkout', () => {
  const { config, file } = load(undefined)
  expect(file).toBeUndefined()
  expect(config.server).toMatchObject({ host: '127.0.0.1', port: 4100 })
  expect(config.data_dir).toBe(join(folder, '.gesso'))
  expect(config.database.url).toBeUndefined()
})

test('the environment beats the file, and each value knows where it came from', () => {
  const { config, sourceOf } = load('server:\n  port: 5000\n  host: 0.0.0.0\n', { GESSO_PORT: '6000' })
  expect(config.server).toMatchObject({ port: 6000, host: '0.0.0.0' })
  expect(sourceOf(['server', 'port'])).toBe('GESSO_PORT')
  expect(sourceOf(['server', 'host'])).toBe(`${join(folder, 'gesso.yaml')}:3`)
  expect(sourceOf(['server', 'public_url'])).toBe('default')
})

const providers = providerDefinitions.map(({ id }) => id).join(', ')

test('every problem is told at once, with line or variable, what is expected and what was found', () => {
  const yaml = [
    'server:',
    '  port: seventy',
    '  prot: 1',
    'images:',
    '  url_ttl_seconds: -5',
    'models:',
    '  - id: "bad id!"',
    '    provider: nobody',
  ].join('\n')
  expect(problemsOf(yaml, { GESSO_LOG_LEVEL: 'loud', GESSO_ADMIN_KEY: 'short' }).sort()).toEqual(
    [
      '  GESSO_ADMIN_KEY: admin_key: expected at least 16 characters, found another value (not shown)',
      '  GESSO_LOG_LEVEL: log.log_level: expected one of silent, error, warn, info, debug, found "loud"',
      '  /gesso.yaml:2: server.port: expected a whole number from 0 to 65535, found "seventy"',
      '  /gesso.yaml:3: server.prot: expected no such setting here',
      '  /gesso.yaml:5: images.url_ttl_seconds: expected a whole number from 1 to 31536000, found -5',
      '  /gesso.yaml:7: models.0.id: expected up to 128 letters, digits and . _ : / -, found "bad id!"',
      `  /gesso.yaml:8: models.0.provider: expected one of ${providers}, found "nobody"`,
    ].sort(),
  )
})

test('${VAR} reads the environment, and a missing variable is a problem with its line', () => {
  const { config } = load('providers:\n  openai:\n    api_key: ${MY_KEY}\n', { MY_KEY: 'sk-from-env' })
  expect(config.providers.openai?.api_key?.reveal()).toBe('sk-from-env')
  expect(problemsOf('data_dir: /tmp\nproviders:\n  openai:\n    api_key: ${NOT_SET}\n')).toContain(
    '  /gesso.yaml:4: ${NOT_SET}: expected the environment variable NOT_SET to be set',
  )
})

test("a vendor's own variables turn its provider on", () => {
  const { config } = load(undefined, { OPENAI_API_KEY: 'sk-1', OPENAI_BASE_URL: 'http://127.0.0.1:1234/v1/' })
  expect(config.providers.openai?.api_key?.reveal()).toBe('sk-1')
  expect(config.providers.openai?.base_url).toBe('http://127.0.0.1:1234/v1')
})

test.each([
  ['a syntax error', 'server: [1', {}, /gesso\.yaml:1: expected valid YAML/],
  ['a list where settings belong', '- 1\n- 2', {}, /expected settings as `name: value` lines/],
  [
    'a file that is named but missing',
    undefined,
    { GESSO_CONFIG: 'nope.yaml' },
    /GESSO_CONFIG: expected a file that exists/,
  ],
  [
    'a storage this version does not know',
    undefined,
    { GESSO_STORAGE: 's3://bucket' },
    /GESSO_STORAGE: storage: expected nothing/,
  ],
  [
    'a database URL of another kind',
    undefined,
    { DATABASE_URL: 'mysql://u:hunter2@h/d' },
    /DATABASE_URL: database\.url: expected a PostgreSQL URL/,
  ],
])('%s is refused in words', (_name, yaml, env, expected) => {
  expect(problemsOf(yaml, env).join('\n')).toMatch(expected)
})

test('no problem ever shows a secret', () => {
  const text = problemsOf(undefined, {
    DATABASE_URL: 'mysql://u:hunter2@h/d',
    GESSO_SECRET: 'tooshort-hunter2',
    OPENAI_BASE_URL: 'http://user:hunter2@host/v1',
  }).join('\n')
  expect(text).not.toContain('hunter2')
  expect(text.split('\n')).toHaveLength(3)
})

test('a secret does not show itself in any kind of print', () => {
  const { config } = load(undefined, { GESSO_SECRET: 'x'.repeat(40) })
  expect(`${config.secret} ${JSON.stringify(config)}`).not.toContain('xxx')
})

test('a misspelt GESSO_ variable is a warning', () => {
  expect(load(undefined, { GESSO_PROT: '1' }).warnings).toEqual([
    'GESSO_PROT is set, but Gesso has no such variable',
  ])
})
