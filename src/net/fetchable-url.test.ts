import { describe, expect, test } from 'vitest'
import { parseFetchableUrl } from './fetchable-url.ts'

const parse = (text: string, base?: string) =>
  parseFetchableUrl(text, 2_048, base ? new URL(base) : undefined)

describe('parseFetchableUrl', () => {
  test.each([
    'http://127.1/',
    'http://0x7f.1/',
    'http://0x7f000001/',
    'http://2130706433/',
    'http://017700000001/',
    'http://0177.0.0.1/',
    'http://①②⑦.⓪.⓪.①/',
    'http://127。0。0。1/',
    'http://127.0.0.1./',
    'http://1\u00ad27.0.0.1/',
    'http:127.0.0.1',
    'HTTP://127.0.0.1:80',
  ])('sees 127.0.0.1 in %j', (text) => {
    expect(parse(text).hostname).toBe('127.0.0.1')
  })

  test('sees an IPv4 hidden in IPv6 as IPv6', () => {
    expect(parse('http://[::ffff:127.0.0.1]/').hostname).toBe('[::ffff:7f00:1]')
  })

  test.each([
    'http://u:p@127.0.0.1/',
    'http://user@example.com/',
    'http://:p@example.com/',
    'http://example.com\\@127.0.0.1/',
    'http://exam\tple.com/',
    'http://exam\nple.com/',
    ' http://example.com/',
    'http://example.com/a b',
    'http://example.com/%00',
    'http://example.com%00.evil.com/',
    'http://example.com\0/',
    'file:///etc/passwd',
    'gopher://example.com/',
    'ftp://example.com/',
    'blob:http://example.com/x',
    'data:text/html,x',
    'javascript:alert(1)',
    '//example.com/x',
    'example.com/x',
    '/etc/passwd',
    '',
    'http://',
    'http://[::1',
    'http://256.256.256.256/',
    'http://example.com:65536/',
    `http://example.com/${'x'.repeat(9_000)}`,
  ])('refuses %j', (text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ name: 'FetchFailure', reason: 'url' }))
  })

  test.each([0, 1, 21, 22, 25, 53, 110, 143, 445, 993, 1023, 2049, 5060, 6000, 6667, 10080])(
    'refuses port %i',
    (port) => {
      expect(() => parse(`http://example.com:${port}/`)).toThrow(`port ${port}`)
      expect(() => parse(`https://example.com:${port}/`)).toThrow(`port ${port}`)
    },
  )

  test.each([80, 443, 1024, 8080, 8188, 65535])('allows port %i', (port) => {
    expect(parse(`http://example.com:${port}/`).hostname).toBe('example.com')
  })

  test('takes a URL of exactly the longest length', () => {
    const prefix = 'https://example.com/'
    expect(parse(prefix + 'x'.repeat(2_048 - prefix.length)).href).toHaveLength(2_048)
    expect(() => parse(prefix + 'x'.repeat(2_049 - prefix.length))).toThrow('2049 characters')
  })

  test('keeps the query, drops the fragment, and resolves against a base', () => {
    expect(parse('https://example.com/a?sig=1#top').href).toBe('https://example.com/a?sig=1')
    expect(parse('../b?x=1', 'https://example.com/a/c').href).toBe('https://example.com/b?x=1')
    expect(parse('//other.example/x', 'https://example.com/').href).toBe('https://other.example/x')
  })

  test('refuses to step down from https to http, and may step up', () => {
    expect(() => parse('http://example.com/', 'https://example.com/')).toThrow('from https to http')
    expect(parse('https://example.com/', 'http://example.com/').protocol).toBe('https:')
  })
})
