import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createProviderHttp, type ProviderHttpCall } from './http.ts'
import { ProviderError } from './provider-error.ts'

const opened: { close(): unknown }[] = []
afterEach(async () => {
  for (const resource of opened.splice(0).reverse()) await resource.close()
})

const key = 'k-0123456789abcdef'

/** A server on a free port, and a call to it. */
async function serve(listener: RequestListener): Promise<ProviderHttpCall> {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  opened.push({
    close() {
      server.closeAllConnections()
      server.close()
    },
  })
  return callTo((server.address() as AddressInfo).port)
}

/** A server that speaks for itself on the bare connection. */
async function serveRaw(onConnection: (socket: Socket) => void): Promise<ProviderHttpCall> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket.on('error', () => {}))
    onConnection(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  opened.push({
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  })
  return callTo((server.address() as AddressInfo).port)
}

function callTo(port: number): ProviderHttpCall {
  return {
    title: 'Vendor',
    url: `http://127.0.0.1:${port}/v1/images`,
    headers: { authorization: `Bearer ${key}` },
    timeoutMs: 200,
    maxResponseBytes: 100_000,
    withhold: ['a secret heron on a lake'],
  }
}

function client() {
  const http = createProviderHttp({ connectTimeoutMs: 200 })
  opened.push(http)
  return http
}

function post(call: ProviderHttpCall) {
  return client().postJson({ ...call, body: { prompt: 'a secret heron on a lake' } })
}

async function failure(promise: Promise<unknown>): Promise<ProviderError> {
  const thrown = await promise.then(
    () => new Error('it succeeded'),
    (error: unknown) => error,
  )
  expect(thrown).toBeInstanceOf(ProviderError)
  return thrown as ProviderError
}

describe('an answer', () => {
  it('has status, headers in any case, and JSON with pictures as bytes', async () => {
    const picture = randomBytes(30_000)
    const call = await serve((_, response) => {
      response.setHeader('X-Request-Id', 'req_1')
      response.end(JSON.stringify({ b64_json: picture.toString('base64'), n: 1 }))
    })
    const answer = await post(call)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('X-REQUEST-id')).toBe('req_1')
    expect(answer.json).toEqual({ b64_json: picture, n: 1 })
  })

  it('is asked for once, as uncompressed JSON, with the headers given', async () => {
    const seen: unknown[] = []
    const call = await serve((request, response) => {
      request.on('data', (chunk: Buffer) =>
        seen.push(request.method, request.headers, JSON.parse(chunk.toString())),
      )
      request.on('end', () => response.end('{}'))
    })
    await post(call)
    expect(seen).toEqual([
      'POST',
      expect.objectContaining({
        'accept-encoding': 'identity',
        'content-type': 'application/json',
        authorization: `Bearer ${key}`,
      }),
      { prompt: 'a secret heron on a lake' },
    ])
  })

  it('has no JSON, but a safe excerpt, when its body is something else', async () => {
    const call = await serve((_, response) => response.end('<h1>Hi</h1> sk-0123456789'))
    const answer = await post(call)
    expect(answer.json).toBeUndefined()
    expect(answer.excerpt()).toBe('<h1>Hi</h1> [key]')
    const remark = '(withheld: it repeated the request)'
    expect(answer.excerpt(`no ${key}!`)).toBe(remark)
    expect(answer.excerpt('no secret heron on a lake!')).toBe(remark)
  })

  it.each([400, 429, 500])(
    'with status %i is an answer too, even when its body is cut or endless',
    async (status) => {
      const whole = await serve((_, response) => response.writeHead(status).end('{"error":{"code":"x"}}'))
      expect(await post(whole)).toMatchObject({ status, json: { error: { code: 'x' } } })
      const short = await serve((_, response) => {
        response.writeHead(status, { 'content-length': 1_000 })
        response.write('{"error"', () => response.destroy())
      })
      expect(await post(short)).toMatchObject({ status, json: undefined })
      const endless = await serve((_, response) => {
        response.writeHead(status)
        const timer = setInterval(() => response.write(Buffer.alloc(65_536, 'x')), 1)
        response.on('close', () => clearInterval(timer))
      })
      expect(await post(endless)).toMatchObject({ status, json: undefined })
      const stuck = await serve((_, response) => void response.writeHead(status).write('{'))
      expect(await post(stuck)).toMatchObject({ status, json: undefined })
    },
  )
})

describe('a call that surely did not start is told as not dispatched', () => {
  it('when nobody listens', async () => {
    const error = await failure(post(callTo(1)))
    expect(error).toMatchObject({ code: 'upstream_unavailable', dispatched: 'no', retryable: true })
  })

  it('when the name does not exist', async () => {
    const error = await failure(post({ ...callTo(1), url: 'http://gesso.invalid/v1' }))
    expect(error).toMatchObject({ code: 'upstream_unavailable', dispatched: 'no', retryable: true })
  })

  it('when TLS cannot be agreed on', async () => {
    const call = await serveRaw((socket) => socket.end('this is no TLS'))
    const error = await failure(post({ ...call, url: call.url.replace('http:', 'https:') }))
    expect(error).toMatchObject({ code: 'upstream_unavailable', dispatched: 'no', retryable: true })
  })

  it('when the deadline passes while it connects', async () => {
    const call = await serveRaw(() => {})
    const started = performance.now()
    const error = await failure(post({ ...call, url: call.url.replace('http:', 'https:'), timeoutMs: 50 }))
    expect(error).toMatchObject({ code: 'upstream_unavailable', dispatched: 'no', retryable: true })
    expect(performance.now() - started).toBeLessThan(4_000)
  })

  it('when it cannot be written down, without showing the key', async () => {
    const call = callTo(1)
    const error = await failure(
      post({ ...call, headers: { authorization: 'Bearer a-key-with-a\nline-break' } }),
    )
    expect(error).toMatchObject({ attribution: 'platform', dispatched: 'no', retryable: false })
    expect(`${error.message} ${error.detail}`).not.toContain('a-key')
    expect(await failure(post({ ...call, url: 'no url' }))).toMatchObject({
      dispatched: 'no',
      retryable: false,
    })
  })

  it('when the caller had already given up', async () => {
    let requests = 0
    const call = await serve(() => (requests += 1))
    const error = await failure(post({ ...call, signal: AbortSignal.abort() }))
    expect(error).toMatchObject({ dispatched: 'no', retryable: false })
    expect(requests).toBe(0)
  })
})

describe('a call that was written and got no answer has an unknown outcome', () => {
  const unknown = { code: 'outcome_unknown', dispatched: 'unknown', retryable: false }

  it('when the deadline passes', async () => {
    expect(await failure(post(await serve(() => {})))).toMatchObject(unknown)
  })

  it('when the connection is reset', async () => {
    const call = await serveRaw((socket) => socket.once('data', () => socket.resetAndDestroy()))
    expect(await failure(post(call))).toMatchObject(unknown)
  })

  it('when the connection is closed', async () => {
    const call = await serveRaw((socket) => socket.once('data', () => socket.end()))
    expect(await failure(post(call))).toMatchObject(unknown)
  })

  it('when the answer is not HTTP', async () => {
    const call = await serveRaw((socket) => socket.once('data', () => socket.end(`SSH-2.0 ${key}\r\n\r\n`)))
    const error = await failure(post(call))
    expect(error).toMatchObject(unknown)
    expect(JSON.stringify(error)).not.toContain(key)
  })

  it('when the caller gives up, at once', async () => {
    const call = await serve(() => {})
    const started = performance.now()
    const error = await failure(post({ ...call, timeoutMs: 5_000, signal: AbortSignal.timeout(30) }))
    expect(error).toMatchObject(unknown)
    expect(performance.now() - started).toBeLessThan(4_000)
  })

  it('but asking (GET) may always be repeated', async () => {
    const error = await failure(client().getJson(await serve(() => {})))
    expect(error).toMatchObject({ code: 'upstream_unavailable', dispatched: 'no', retryable: true })
  })
})

describe('a success that cannot be taken is lost, and said to be', () => {
  const lost = { code: 'upstream_invalid_response', dispatched: 'yes', retryable: false }

  it('when it is cut', async () => {
    const call = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 1_000 })
      response.write('{"data":', () => response.destroy())
    })
    expect(await failure(post(call))).toMatchObject(lost)
  })

  it('when it is compressed', async () => {
    const call = await serve((_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'),
    )
    expect(await failure(post(call))).toMatchObject(lost)
  })

  it('when it announces too much', async () => {
    const call = await serve(
      (_, response) => void response.writeHead(200, { 'content-length': 100_001 }).write('{'),
    )
    expect(await failure(post(call))).toMatchObject(lost)
  })

  it('when it turns out to be too much, and the connection is cut at once', async () => {
    let sentBytes = 0
    let cut: (() => void) | undefined
    const closed = new Promise<void>((resolve) => {
      cut = resolve
    })
    const call = await serve((_, response) => {
      const timer = setInterval(() => {
        sentBytes += 20_000
        response.write(Buffer.alloc(20_000, ' '))
      }, 1)
      response.on('close', () => {
        clearInterval(timer)
        cut?.()
      })
    })
    expect(await failure(post({ ...call, timeoutMs: 5_000 }))).toMatchObject(lost)
    await closed
    expect(sentBytes).toBeLessThan(2_000_000)
  })

  it('but has an unknown outcome when it begins and never ends', async () => {
    const call = await serve((_, response) => void response.writeHead(200).write('{'))
    expect(await failure(post(call))).toMatchObject({
      code: 'outcome_unknown',
      dispatched: 'yes',
      retryable: false,
    })
  })
})

it.each([301, 302, 303, 307, 308])('does not follow a %i', async (status) => {
  let followed = 0
  const elsewhere = await serve((_, response) => {
    followed += 1
    response.end('{}')
  })
  const call = await serve((_, response) => response.writeHead(status, { location: elsewhere.url }).end())
  const error = await failure(post(call))
  expect(error).toMatchObject({ code: 'upstream_failed', dispatched: 'no', retryable: false })
  expect(followed).toBe(0)
})

it('keeps connections for the next calls', async () => {
  const connections = new Set<unknown>()
  const call = await serve((request, response) => {
    connections.add(request.socket)
    response.end('{}')
  })
  const http = client()
  for (let round = 0; round < 6; round += 1) await http.postJson({ ...call, body: {} })
  // Two, because the next call may begin just before the last one has handed its connection back.
  expect(connections.size).toBeLessThanOrEqual(2)
})
