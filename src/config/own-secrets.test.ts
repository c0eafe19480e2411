import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Secret } from '../lib/secret.ts'
import {
  adminKey,
  adminKeyFile,
  prepareDataDirectory,
  previousSecrets,
  signingSecret,
} from './own-secrets.ts'

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

describe('earlier secrets', () => {
  const previous = (current: Secret, configured?: string) =>
    previousSecrets(folder, { current, configured: configured ? new Secret(configured) : undefined }).map(
      (one) => one.reveal(),
    )

  test('are none on a server that has always had the same', () => {
    expect(previous(new Secret('configured'))).toEqual([])
    expect(previous(signingSecret(folder, undefined))).toEqual([])
  })

  test('are the configured one, and the one that the server had made for itself', () => {
    const made = signingSecret(folder, undefined).reveal()
    expect(previous(new Secret('configured'))).toEqual([made])
    expect(previous(new Secret('configured'), 'the one before')).toEqual(['the one before', made])
    expect(previous(new Secret('configured'), made)).toEqual([made])
    expect(previous(new Secret('the one before'), 'the one before')).toEqual([made])
  })
})
