import { afterEach, describe, expect, test, vi } from 'vitest'
import { closeOpened, failure, fetcher, fromTable, serve, serveRaw } from './testing/fetch-world.ts'

afterEach(closeOpened)

const picture = Buffer.from('not really a picture')

describe('a guarded fetch', () => {
  test('returns the bytes, the claimed type and where they were', async () => {
    const { origin } = await serve((_, response) =>
      response.setHeader('content-type', 'image/png').end(picture),
    )
    expect(await fetcher()(`${origin}/a.png?sig=1#x`)).toEqual({
      bytes: picture,
      contentType: 'image/png',
      finalUrl: `${origin}/a.png?sig=1`,
    })
  })

  test('sends no credentials, no cookies and no referrer, on no hop', async () => {
    const { origin, seen } = await serve((request, response) => {
      if (request.url === '/last') response.end(picture)
      else response.writeHead(302, { location: '/last', 'set-cookie': 'id=1; Path=/' }).end()
    })
    await fetcher()(`${origin}/first`)
    expect(seen.map((request) => Object.keys(request.headers).sort())).toEqual(
      Array(2).fill(['accept', 'accept-encoding', 'connection', 'host', 'user-agent']),
    )
    expect(seen[0]?.headers['accept-encoding']).toBe('identity')
  })

  test('asks no proxy, whatever the environment says', async () => {
    const proxy = await serve((_, response) => response.end('from the proxy'))
    const { origin } = await serve((_, response) => response.end(picture))
    for (const name of ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY']) vi.stubEnv(name, proxy.origin)
    vi.stubEnv('NODE_USE_ENV_PROXY', '1')
    try {
      expect((await fetcher()(origin)).bytes).toEqual(picture)
    } finally {
      vi.unstubAllEnvs()
    }
    expect(proxy.connections).toEqual([])
  })

  test('fails as the caller wishes it to count, and never repeats a query', async () => {
    const { origin } = await serve((_, response) => response.writeHead(404).end('secret words of the answer'))
    const blame = { code: 'upstream_failed', attribution: 'upstream', param: 'image' } as const
    const error = await failure(fetcher()(`${origin}/gone?sig=topsecret`, { blame }))
    expect(error).toMatchObject({ ...blame, reason: 'status', status: 404 })
    expect(error.message).toBe(`${origin}/gone answered with status 404 instead of a file.`)
  })

  test('ends with the reason of the signal', async () => {
    const { origin } = await serve(() => {})
    const gone = new Error('the caller has left')
    const fetch = fetcher()
    await expect(fetch(origin, { signal: AbortSignal.abort(gone) })).rejects.toBe(gone)
    const controller = new AbortController()
    const fetching = fetch(origin, { signal: controller.signal })
    setTimeout(() => controller.abort(gone), 50)
    await expect(fetching).rejects.toBe(gone)
  })
})

describe('refusals', () => {
  test('read alike whatever the reason, and nothing arrives', async () => {
    const { port, connections } = await serve((_, response) => response.end(picture), '0.0.0.0')
    const fetch = fetcher({ resolve: fromTable({ 'loopback.test': ['127.0.0.2'] }) })
    const urls = [
      `http://127.0.0.2:${port}/`,
      `http://127.0.0.2:1024/`,
      `http://2130706434:${port}/`,
      `http://0x7f.2:${port}/`,
      `http://[::1]:${port}/`,
      `http://[::ffff:127.0.0.1]:${port}/`,
      `http://0.0.0.0:${port}/`,
      `http://169.254.169.254/latest/meta-data`,
      `http://loopback.test:${port}/`,
      `http://loopback.test.:${port}/`,
      `http://no-such-name.test/`,
      `http://u:p@127.0.0.1:${port}/`,
      `http://127.0.0.1:22/`,
      'file:///etc/passwd',
      'nonsense',
    ]
    const errors = await Promise.all(urls.map((url) => failure(fetch(url, { blame: undefined }))))
    for (const error of errors) {
      expect(error).toMatchObject({
        name: 'GuardedFetchError',
        code: 'invalid_image_request',
        attribution: 'client',
      })
      expect(['url', 'address']).toContain(error.reason)
    }
    expect(new Set(errors.map((error) => error.message)).size).toBe(1)
    expect(connections).toEqual([])
  })

  test('the default resolver refuses localhost', async () => {
    const { port, connections } = await serve((_, response) => response.end(picture), '0.0.0.0')
    for (const host of ['localhost', 'localhost.', 'LOCALHOST']) {
      const error = await failure(fetcher({ allowPrivate: [] })(`http://${host}:${port}/`))
      expect(error.reason).toBe('address')
    }
    expect(connections).toEqual([])
  })

  test('a name with one forbidden address among allowed ones is refused', async () => {
    const { port, connections } = await serve((_, response) => response.end(picture), '0.0.0.0')
    const resolve = fromTable({
      'mixed.test': ['127.0.0.1', '127.0.0.2'],
      'reversed.test': ['127.0.0.2', '127.0.0.1'],
      'six.test': ['127.0.0.1', '::1'],
      'none.test': [],
    })
    for (const name of ['mixed', 'reversed', 'six', 'none']) {
      expect((await failure(fetcher({ resolve })(`http://${name}.test:${port}/`))).reason).toBe('address')
    }
    expect(connections).toEqual([])
  })

  test('a name that changes its answer is connected where it was checked', async () => {
    const { port, seen } = await serve((request, response) => {
      response.setHeader('connection', 'close').end(request.socket.localAddress)
    }, '0.0.0.0')
    const answers = ['127.0.0.1', '127.0.0.2']
    const asked: string[] = []
    const fetch = fetcher({
      async resolve(hostname) {
        asked.push(hostname)
        return [{ address: answers.shift() ?? '127.0.0.3', family: 4 }]
      },
    })
    expect((await fetch(`http://rebinding.test:${port}/`)).bytes.toString()).toBe('127.0.0.1')
    expect(asked).toHaveLength(1)
    expect((await failure(fetch(`http://rebinding.test:${port}/`))).reason).toBe('address')
    expect(asked).toHaveLength(2)
    expect(seen).toHaveLength(1)
  })
})

describe('redirects', () => {
  test('are followed three times and not four', async () => {
    const { origin, seen } = await serve((request, response) => {
      const left = Number(request.url?.slice(1))
      if (left === 0) response.end(picture)
      else
        response.writeHead([301, 302, 303, 307, 308][left] ?? 302, { location: `/${left - 1}` }).end('moved')
    })
    const fetch = fetcher()
    expect(await fetch(`${origin}/3`)).toMatchObject({ bytes: picture, finalUrl: `${origin}/0` })
    seen.length = 0
    expect((await failure(fetch(`${origin}/4`))).reason).toBe('redirect')
    expect(seen.map((request) => request.url)).toEqual(['/4', '/3', '/2', '/1'])
  })

  test('that loop, or lead nowhere, end', async () => {
    const { origin } = await serve((request, response) => {
      response.writeHead(302, request.url === '/loop' ? { location: '/loop' } : {}).end()
    })
    expect((await failure(fetcher()(`${origin}/loop`))).reason).toBe('redirect')
    expect((await failure(fetcher()(`${origin}/nowhere`))).reason).toBe('redirect')
  })

  test('are checked like the first URL, and refused with the same words', async () => {
    const forbidden = await serve((_, response) => response.end('inner secret'), '0.0.0.0')
    const targets = [
      `http://127.0.0.2:${forbidden.port}/`,
      `//127.0.0.2:${forbidden.port}/`,
      `http://2130706434:${forbidden.port}/`,
      `http://inner.test:${forbidden.port}/`,
      `http://[::1]:${forbidden.port}/`,
      `http://u:p@127.0.0.1:${forbidden.port}/`,
      'http://127.0.0.1:25/',
      'file:///etc/passwd',
      'data:text/plain,x',
      'ftp://127.0.0.1/',
      `blob:http://127.0.0.1:${forbidden.port}/`,
      'javascript:alert(1)',
      `http://127.1.1:${forbidden.port}/`,
      `http://[::ffff:7f00:1]:${forbidden.port}/`,
      `http://127.0.0.1:${forbidden.port}/%00`,
      `/${'x'.repeat(2_049)}`,
      'http://',
    ]
    const { origin } = await serve((request, response) => {
      response.writeHead(307, { location: targets[Number(request.url?.slice(1))] }).end()
    })
    const fetch = fetcher({ resolve: fromTable({ 'inner.test': ['127.0.0.2'] }) })
    const direct = await failure(fetch(`http://127.0.0.2:${forbidden.port}/`))
    for (const index of targets.keys()) {
      expect((await failure(fetch(`${origin}/${index}`))).message).toBe(direct.message)
    }
    expect(forbidden.connections).toEqual([])
  })

  test('with a broken or doubled Location are refused', async () => {
    for (const head of [
      'Location: /a\rb',
      'Location: /a\r\nLocation: /b',
      'Location: /a\0b',
      'Location: \\\\host\\x',
    ]) {
      const { origin } = await serveRaw((socket) => socket.end(`HTTP/1.1 302 Found\r\n${head}\r\n\r\n`))
      expect(['redirect', 'url', 'connection']).toContain((await failure(fetcher()(origin))).reason)
    }
  })
})

describe('trust', () => {
  const resolve = fromTable({ 'provider.test': ['127.0.0.2'] })

  test('opens private addresses to one fetch and leaves no open socket for the next', async () => {
    const { port, seen } = await serve((_, response) => response.end(picture), '0.0.0.0')
    const fetch = fetcher({ resolve })
    for (const url of [`http://provider.test:${port}/`, `http://127.0.0.2:${port}/`]) {
      seen.length = 0
      for (let i = 0; i < 4; i++) {
        expect((await fetch(url, { trusted: true })).bytes).toEqual(picture)
        expect((await failure(fetch(url))).reason).toBe('address')
      }
      expect(seen).toHaveLength(4)
      // Sockets do stay open and are used again, or this test would prove nothing.
      expect(new Set(seen.map((request) => request.socket)).size).toBeLessThan(4)
    }
  })

  test('skips nothing but the addresses', async () => {
    const { port } = await serve((_, response) => response.end(picture), '127.0.0.2')
    const fetch = fetcher()
    const trusted = (url: string, options = {}) => failure(fetch(url, { ...options, trusted: true }))
    expect((await trusted('file:///etc/passwd')).reason).toBe('url')
    expect((await trusted(`http://u:p@127.0.0.2:${port}/`)).reason).toBe('url')
    expect((await trusted('http://127.0.0.2:22/')).reason).toBe('url')
    expect((await trusted(`http://127.0.0.2:${port}/`, { maxBytes: 3 })).reason).toBe('too_large')
  })

  test('stays on the origin: a redirect to another private address is refused', async () => {
    const inner = await serve((_, response) => response.end('inner secret'), '127.0.0.3')
    const { port } = await serve((request, response) => {
      if (request.url === '/same') response.writeHead(302, { location: '/file' }).end()
      else if (request.url === '/file') response.end(picture)
      else response.writeHead(302, { location: `http://127.0.0.3:${inner.port}/` }).end()
    }, '127.0.0.2')
    const fetch = fetcher()
    expect((await fetch(`http://127.0.0.2:${port}/same`, { trusted: true })).bytes).toEqual(picture)
    expect((await failure(fetch(`http://127.0.0.2:${port}/other`, { trusted: true }))).reason).toBe('address')
    expect(inner.connections).toEqual([])
  })
})
