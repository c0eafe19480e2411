import { expect, test } from 'vitest'
import { Secret } from '../lib/secret.ts'
import { createImageUrls } from './image-url.ts'

let now = new Date('2026-01-01T00:00:00Z')
const clock = { now: () => now }
const urls = createImageUrls({
  secret: new Secret('s'.repeat(32)),
  publicUrl: () => 'http://gesso',
  ttlSeconds: 3_600,
  clock,
})
const image = { id: 'img_0123456789abcdef01234567', format: 'png' as const }

function split(url: string): [path: string, query: string] {
  const { pathname, search } = new URL(url)
  return [pathname, search.slice(1)]
}

test('a link is good for at least its time to live, and at most a quarter longer', () => {
  now = new Date('2026-01-01T00:00:00Z')
  const { url, expiresAt } = urls.sign(image)
  const left = urls.verify(...split(url))
  expect(left).toBe(expiresAt - now.getTime() / 1_000)
  expect(left).toBeGreaterThanOrEqual(3_600)
  expect(left).toBeLessThanOrEqual(4_500)
})

test('lists repeat the same link within a step', () => {
  now = new Date('2026-01-01T00:00:01Z')
  const first = urls.sign(image).url
  now = new Date('2026-01-01T00:10:00Z')
  expect(urls.sign(image).url).toBe(first)
})

test('an expired link is refused, to the second', () => {
  const { url, expiresAt } = urls.sign(image)
  now = new Date((expiresAt - 1) * 1_000)
  expect(urls.verify(...split(url))).toBe(1)
  now = new Date(expiresAt * 1_000)
  expect(() => urls.verify(...split(url))).toThrow(/expired/)
})

test('any change to a link is refused', () => {
  now = new Date('2026-01-01T00:00:00Z')
  const [path, query] = split(urls.sign(image).url)
  const [exp = '', sig = ''] = query.split('&').map((part) => part.split('=')[1])
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const signatures = [...sig].flatMap((_, at) =>
    [...(at === 42 ? letters : 'Ab')].map((letter) => sig.slice(0, at) + letter + sig.slice(at + 1)),
  )
  const altered: [string, string][] = [
    ...signatures
      .filter((one) => one !== sig)
      .map((one): [string, string] => [path, `exp=${exp}&sig=${one}`]),
    ...['', sig.toUpperCase(), sig.slice(1), `${sig}=`, `${sig}!!`, `${sig}%`, sig + sig].map(
      (one): [string, string] => [path, `exp=${exp}&sig=${one}`],
    ),
    ...[
      `${Number(exp) + 1}`,
      `${Number(exp) - 1}`,
      '',
      'NaN',
      '1e99',
      '0x7fffffff',
      ' 9',
      `0${exp}`,
      'Infinity',
    ].map((one): [string, string] => [path, `exp=${one}&sig=${sig}`]),
    [path, `sig=${sig}&exp=${exp}`],
    [path, `${query}&w=10`],
    [path, `${query}&exp=${exp}`],
    [path, `exp=1&${query}`],
    [path, ''],
    [path.replace('0123', '0124'), query],
    [path.replace('.png', '.jpg'), query],
    [`/${path}`, query],
    [path.replace('img', '%69mg'), query],
    [`${path}.`, query],
    [`${path};x`, query],
    ['/i/../../etc/passwd', query],
  ]
  for (const [otherPath, otherQuery] of altered) {
    expect(() => urls.verify(otherPath, otherQuery), `${otherPath}?${otherQuery}`).toThrow(
      expect.objectContaining({ code: 'signature_invalid' }),
    )
  }
})

test('another secret does not open the link', () => {
  const other = createImageUrls({
    secret: new Secret('t'.repeat(32)),
    publicUrl: () => '',
    ttlSeconds: 3_600,
    clock,
  })
  expect(() => other.verify(...split(urls.sign(image).url))).toThrow()
})
