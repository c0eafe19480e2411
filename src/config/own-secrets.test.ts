import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Secret } from '../lib/secret.ts'
import { adminKey, adminKeyFile, prepareDataDirectory, signingSecret } from './own-secrets.ts'

let folder: string
let oldUmask: number
beforeEach(() => {
  oldUmask = process.umask(0)
  folder = join(mkdtempSync(join(tmpdir(), 'gesso-secrets-')), 'data')
  prepareDataDirectory(folder, 'default')
})
afterEach(() => {
  process.umask(oldUmask)
  rmSync(join(folder, '..'), { recursive: true })
})

const mode = (file: string) => (statSync(file).mode & 0o777).toString(8)

test('nobody else can read the data directory and what is in it, whatever the umask', () => {
  adminKey(folder, () => 'gs_first')
  signingSecret(folder, undefined)
  expect([mode(folder), mode(adminKeyFile(folder)), mode(join(folder, 'secret'))]).toEqual([
    '700',
    '600',
    '600',
  ])
})

test('the first key is made once and then stays', () => {
  expect(adminKey(folder, () => 'gs_first').created).toBe(true)
  const second = adminKey(folder, () => 'gs_second')
  expect([second.created, second.key.reveal()]).toEqual([false, 'gs_first'])
})

test('the signing secret is long, stays the same, and gives way to a configured one', () => {
  const made = signingSecret(folder, undefined).reveal()
  expect(made.length).toBeGreaterThanOrEqual(32)
  expect(signingSecret(folder, undefined).reveal()).toBe(made)
  expect(signingSecret(folder, new Secret('configured')).reveal()).toBe('configured')
  expect(readFileSync(join(folder, 'secret'), 'utf8').trim()).toBe(made)
})
