import { describe, expect, it } from 'vitest'
import { addressOf } from './fal-addresses.ts'

const note = { id: 'r1', endpoint: 'fal-ai/flux/dev', n: 1 }
const official = 'https://queue.fal.run'
const built = 'https://queue.fal.run/fal-ai/flux/requests/r1/status'

describe('at fal itself', () => {
  it.each(['https://queue.fal.run/a/b', 'https://fal.run/a', 'https://eu.queue.fal.run/a?b=c'])(
    '%s is its own',
    (statusUrl) => {
      expect(addressOf('status', { ...note, statusUrl }, official)).toBe(statusUrl)
    },
  )

  it.each([
    'http://queue.fal.run/a',
    'https://fal.run.evil.test/a',
    'https://notfal.run/a',
    'https://fal.run@evil.test/a',
    'https://evil.test@fal.run/a',
    'https://queue.fal.run:8443/a',
    'javascript:alert(1)',
  ])('%s is not, and is built instead', (statusUrl) => {
    expect(addressOf('status', { ...note, statusUrl }, official)).toBe(built)
  })

  it('an app of a namespace keeps it', () => {
    expect(addressOf('cancel', { ...note, endpoint: 'workflows/acme/cats/v2' }, official)).toBe(
      'https://queue.fal.run/workflows/acme/cats/requests/r1/cancel',
    )
    expect(addressOf('response', note, official)).toBe('https://queue.fal.run/fal-ai/flux/requests/r1')
  })
})
