import { afterEach, describe, expect, test } from 'vitest'
import { closeOpened, failure, fetcher, fromTable, openGuardedFetch, serve } from './testing/fetch-world.ts'

afterEach(closeOpened)

const picture = Buffer.from('not really a picture')

/** First and last address of each forbidden network of IPv4, and where IPv6 hides another one or a private one. */
const forbidden = [
  ...['0.0.0.0', '0.1.2.3', '0.255.255.255', '10.0.0.0', '10.0.0.1', '10.255.255.255', '100.64.0.0'],
  ...['100.64.0.1', '100.127.255.255', '127.0.0.0', '127.0.0.2', '127.255.255.254', '168.63.129.16'],
  ...['169.254.0.0', '169.254.169.254', '169.254.255.255', '172.16.0.0', '172.16.0.1', '172.31.255.255'],
  ...['192.0.0.0', '192.0.0.1', '192.0.0.255', '192.0.2.1', '192.88.99.1', '192.168.0.0', '192.168.0.1'],
  ...['192.168.255.255', '198.18.0.0', '198.18.0.1', '198.19.255.255', '198.51.100.1', '203.0.113.1'],
  ...['224.0.0.0', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'],
  ...['::', '::1', '::127.0.0.1', '::ffff:10.0.0.1', '::ffff:127.0.0.1', '::ffff:0:10.0.0.1'],
  ...['64:ff9b::a00:1', '64:ff9b:1:a00:0:100::', '2002:a00:1::', '2001:0:4136:e378:8000:63bf:f5ff:fffe'],
  ...['2001:db8::1', '2001:2::1', '2001:10::1', '2001:20::1', '100::1', '100:0:0:1::1', '3fff::1'],
  ...['3fff:fff:ffff::1', '5f00::1', 'fc00::1', 'fd00:ec2::254', 'fe80::1', 'febf::1', 'fec0::1', 'ff02::1'],
  ...['2a00:1450:4009:815:0:5efe:7f00:1', '2a00:1450:4009:815:200:5efe:7f00:1', '4000::1', '1fff::1'],
]

/** What stands in a URL for an address, in as many ways as URL parsers and resolvers know. */
const spellingsOfForbidden = [
  ...['127.2', '127.0.2', '2130706434', '0x7f000002', '0x7f.0.0.2', '0x7f.2', '0X7F.0x0.0x0.0x2'],
  ...['017700000002', '0177.0.0.2', '0177.0.0.02', '00000177.0.0.2', '127.0.0.0x2', '127.0.0.2.'],
  ...['①②⑦.⓪.⓪.②', '１２７.０.０.２', '127。0。0。2', '127．0．0．2', '127｡0｡0｡2', '1\u00ad27.0.0.2'],
  ...['127.0.0\u200b.2', '%31%32%37.0.0.2', '127%2e0%2e0%2e2', '0', '0x0', '00.0', '0.0.0.0'],
  ...['[::1]', '[::]', '[0:0:0:0:0:0:0:1]', '[0000:0000:0000:0000:0000:0000:0000:0001]', '[::0001]'],
  ...['[::ffff:127.0.0.1]', '[::FFFF:7F00:1]', '[0:0:0:0:0:ffff:127.0.0.2]', '[::127.0.0.1]', '[::7f00:1]'],
  ...['[::ffff:0:127.0.0.1]', '[64:ff9b::127.0.0.1]', '[2002:7f00:1::]', '[fe80::1]'],
]

describe('addresses', () => {
  test.each(forbidden)('%s is refused as such and as what a name stands for', async (address) => {
    const fetch = fetcher({ resolve: fromTable({ 'inner.test': [address] }), ownAddresses: () => [] })
    const literal = address.includes(':') ? `[${address}]` : address
    for (const host of [literal, 'inner.test']) {
      const started = performance.now()
      expect(await failure(fetch(`http://${host}:8188/`))).toMatchObject({
        reason: 'address',
        status: undefined,
      })
      // It is refused, and not tried: a connection to nowhere takes longer.
      expect(performance.now() - started).toBeLessThan(5_000)
    }
  })

  test("this machine's own address is refused, also where it is public", async () => {
    const { port, connections } = await serve((_, response) => response.end(picture), '0.0.0.0')
    const fetch = fetcher({ allowPrivate: [], ownAddresses: () => ['8.8.4.4'] })
    expect((await failure(fetch(`http://8.8.4.4:${port}/`))).reason).toBe('address')
    expect(connections).toEqual([])
  })

  test('an open network is reached at its border and not one address beyond', async () => {
    const { port, connections } = await serve((_, response) => response.end(picture), '0.0.0.0')
    const fetch = fetcher({ allowPrivate: ['127.8.0.0/30'] })
    for (const host of ['127.8.0.0', '127.8.0.3']) {
      expect((await fetch(`http://${host}:${port}/`)).bytes).toEqual(picture)
    }
    const reached = connections.length
    for (const host of ['127.7.255.255', '127.8.0.4']) {
      expect((await failure(fetch(`http://${host}:${port}/`))).reason).toBe('address')
    }
    expect(connections).toHaveLength(reached)
  })
})

describe('spellings', () => {
  test.each(spellingsOfForbidden)('%s reaches nobody', async (host) => {
    const { port, connections } = await serve((_, response) => response.end(picture), '::')
    // A name that slipped through the reading of addresses would be found here.
    const resolve = async () => [{ address: '127.0.0.2', family: 4 }]
    for (const url of [`http://${host}:${port}/`, `HTTP:${host}:${port}`, `http:///${host}:${port}/`]) {
      expect(['url', 'address']).toContain((await failure(fetcher({ resolve })(url))).reason)
    }
    expect(connections).toEqual([])
  })

  test('of the open address all lead to it, and to nothing else', async () => {
    const { port, seen } = await serve((_, response) => response.end(picture))
    const fetch = fetcher()
    const spellings = [
      '127.1',
      '2130706433',
      '0x7f.1',
      '017700000001',
      '①②⑦.⓪.⓪.①',
      '127。0。0。1',
      '127.0.0.1.',
    ]
    for (const host of spellings) {
      expect((await fetch(`http://${host}:${port}/`)).finalUrl).toBe(`http://127.0.0.1:${port}/`)
    }
    expect(new Set(seen.map((request) => request.headers.host))).toEqual(new Set([`127.0.0.1:${port}`]))
  })

  test('that hide the host behind another are refused, and the name in front is not even asked for', async () => {
    const { port, connections } = await serve((_, response) => response.end(picture), '0.0.0.0')
    const asked: string[] = []
    const fetch = fetcher({
      async resolve(hostname) {
        asked.push(hostname)
        return [{ address: '127.0.0.1', family: 4 }]
      },
    })
    for (const url of [
      `http://u:p@127.0.0.2:${port}/`,
      `http://example.test@127.0.0.2:${port}/`,
      `http://example.test\\@127.0.0.2:${port}/`,
      `http://127.0.0.2:${port}\\@example.test/`,
      `http:\\\\127.0.0.2:${port}\\`,
      `http://example.test%00.127.0.0.2:${port}/`,
      `http://example.test\t:${port}/`,
      `//127.0.0.2:${port}/`,
      `blob:http://127.0.0.2:${port}/a`,
      `view-source:http://127.0.0.2:${port}/`,
      `ws://127.0.0.1:${port}/`,
      `gopher://127.0.0.1:${port}/_GET`,
      `ftp://127.0.0.1:${port}/`,
      'data:text/html,x',
      'file://127.0.0.1/etc/passwd',
      'http://127.0.0.1:0/',
      'http://127.0.0.1:22/',
      'http://127.0.0.1:25/',
      `http://127.0.0.1:${port}/${'x'.repeat(9_000)}`,
      `http://127.0.0.1:${port}/%00`,
    ]) {
      expect((await failure(fetch(url))).reason, url).toBe('url')
    }
    expect(asked).toEqual([])
    expect(connections).toEqual([])
  })
})

describe('names', () => {
  test('are looked at afresh for each connection, and a refusal now is no refusal for ever', async () => {
    const { port, connections } = await serve((_, response) => {
      response.setHeader('connection', 'close').end(picture)
    }, '0.0.0.0')
    const answers = ['127.0.0.2', '127.0.0.1', '127.0.0.2']
    const fetch = fetcher({ resolve: async () => [{ address: answers.shift() ?? '127.0.0.3', family: 4 }] })
    const url = `http://rebinding.test:${port}/`
    expect((await failure(fetch(url))).reason).toBe('address')
    expect((await fetch(url)).bytes).toEqual(picture)
    expect((await failure(fetch(url))).reason).toBe('address')
    expect(connections).toHaveLength(1)
  })

  test('that change between the hops of one redirect chain are refused at the hop', async () => {
    const { port, seen } = await serve((request, response) => {
      response.writeHead(302, { location: `${request.url}x`, connection: 'close' }).end()
    }, '0.0.0.0')
    const answers = ['127.0.0.1', '127.0.0.2']
    const fetch = fetcher({ resolve: async () => [{ address: answers.shift() ?? '127.0.0.2', family: 4 }] })
    expect((await failure(fetch(`http://rebinding.test:${port}/`))).reason).toBe('address')
    expect(seen).toHaveLength(1)
  })

  test.each([
    ['[public, private]', ['127.0.0.1', '10.0.0.1']],
    ['[private, public]', ['192.168.0.1', '127.0.0.1']],
    ['a public A and a private AAAA', ['127.0.0.1', 'fd00::1']],
    ['a public A and a mapped AAAA', ['127.0.0.1', '::ffff:127.0.0.1']],
    ['a public A and a scoped AAAA', ['127.0.0.1', 'fe80::1%lo']],
    ['a public A and nonsense', ['127.0.0.1', 'localhost']],
    ['fifty public ones and one private', [...Array(50).fill('127.0.0.1'), '127.0.0.2']],
  ])('that stand for %s are refused', async (_, addresses) => {
    const { port, connections } = await serve((_, response) => response.end(picture), '0.0.0.0')
    const fetch = fetcher({ resolve: fromTable({ 'mixed.test': addresses }) })
    expect((await failure(fetch(`http://mixed.test:${port}/`))).reason).toBe('address')
    expect(connections).toEqual([])
  })

  test('that never resolve hold up neither others nor the end', async () => {
    const { port } = await serve((_, response) => response.end(picture))
    const quick = fromTable({ 'quick.test': ['127.0.0.1'] })
    const guarded = openGuardedFetch({
      resolve: (hostname) => (hostname === 'slow.test' ? new Promise(() => {}) : quick(hostname)),
    })
    const slow = Array.from({ length: 20 }, () =>
      failure(guarded.fetch(`http://slow.test:${port}/`, { deadlineMs: 500 })),
    )
    expect((await guarded.fetch(`http://quick.test:${port}/`)).bytes).toEqual(picture)
    for (const error of await Promise.all(slow)) expect(error.reason).toBe('timeout')
    await guarded[Symbol.asyncDispose]()
  })
})
