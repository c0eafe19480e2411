import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { badRequest } from '../lib/errors.ts'
import { type BodyServer, openBodyServer } from './testing/body-server.ts'
import { takeUploads, uploadsOf } from './uploads.ts'

const mebibyte = 1024 * 1024
const picture = randomBytes(1_500_000)

let bodies: BodyServer
/** Ends the work of a route that holds on. */
let letGo: () => void
let held: Promise<void>

beforeAll(async () => {
  bodies = await openBodyServer(
    {
      limitBytes: 8 * mebibyte,
      uploads: { maxImageBytes: 2 * mebibyte, maxImages: 2 },
      spool: { memoryBytes: 100_000, budgetBytes: 9 * mebibyte },
    },
    (server) => {
      const multipart = { config: { multipart: true } }
      server.post('/refuse', multipart, () => {
        throw badRequest('prompt', 'no')
      })
      server.post('/fail', multipart, () => {
        throw new TypeError('oops')
      })
      server.post('/wait', multipart, async () => held)
      server.post('/take', multipart, async (request, reply) => {
        await using _uploads = takeUploads(request)
        await held
        // Also what comes after the hang-up is the taker's to remove.
        await uploadsOf(request).keep(Buffer.alloc(1_000))
        return reply.send('done')
      })
      server.post('/keep', async (request) => {
        await uploadsOf(request).keep(picture)
        return { files: bodies.files() }
      })
    },
  )
})
afterAll(() => bodies[Symbol.asyncDispose]())
beforeEach(() => {
  held = new Promise((resolve) => {
    letGo = resolve
  })
})

const form = (...files: (Buffer | string)[]) => {
  const body = new FormData()
  for (const file of files) {
    if (typeof file === 'string') body.append('prompt', file)
    else body.append('image', new Blob([new Uint8Array(file)]), 'a.png')
  }
  return body
}
const json = (...pictures: Buffer[]) =>
  JSON.stringify({ image: pictures.map((one) => one.toString('base64')) })
const asJson = { 'content-type': 'application/json' }
const post = (
  path: string,
  body: FormData | string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
) => fetch(bodies.url + path, { method: 'POST', body, headers })
const statusOf = async (response: Promise<Response>) => {
  const { status, body } = await response
  await body?.cancel()
  return status
}
const nothingIsLeft = () => expect.poll(() => [bodies.spool.heldBytes, bodies.files()]).toEqual([0, 0])
const allIsThere = (count: number) =>
  expect.poll(() => [bodies.spool.heldBytes, bodies.files()]).toEqual([count * picture.length, count])

describe('nothing is left of pictures', () => {
  test.each<[string, () => Promise<Response>, number]>([
    ['after the answer to a form', () => post('/form', form(picture, 'a', picture)), 200],
    ['after the answer to JSON', () => post('/json', json(picture, picture), asJson), 200],
    ['that were kept by a route', () => post('/keep', '{}', asJson), 200],
    ['when a route refuses a form', () => post('/refuse', form(picture)), 400],
    ['when a route refuses JSON', () => post('/refuse', json(picture), asJson), 400],
    ['when a route fails', () => post('/fail', form(picture)), 500],
    ['when a later one is too large', () => post('/form', form(picture, Buffer.alloc(3 * mebibyte))), 413],
    ['when there are too many', () => post('/form', form(...Array(4).fill(picture))), 400],
    ['when a text is no text', () => post('/form', form(picture, 'a\0b')), 400],
    ['when the body is too large', () => post('/json', json(...Array(5).fill(picture)), asJson), 413],
    ['when the JSON breaks off', () => post('/json', json(picture).slice(0, -2), asJson), 400],
    [
      'when the JSON is not allowed',
      () => post('/json', `${json(picture).slice(0, -1)},"__proto__":1}`, asJson),
      400,
    ],
    [
      'when the compression breaks off',
      () =>
        post('/json', new Uint8Array(gzipSync(json(picture)).subarray(0, -20)), {
          ...asJson,
          'content-encoding': 'gzip',
        }),
      400,
    ],
  ])('%s', async (_name, send, status) => {
    expect(await statusOf(send())).toBe(status)
    await nothingIsLeft()
  })

  test('when the spool is full, which may be tried again', async () => {
    const waiting = [1, 2].map(() => statusOf(post('/wait', form(picture, picture, picture))))
    await allIsThere(6)
    const response = await post('/form', form(picture))
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '1'])
    expect(await response.json()).toMatchObject({ error: { code: 'queue_full' } })
    await allIsThere(6)
    letGo()
    expect(await Promise.all(waiting)).toEqual([200, 200])
    await nothingIsLeft()
  })

  const heads = {
    form: [
      'Content-Type: multipart/form-data; boundary=b\r\n\r\n',
      '--b\r\nContent-Disposition: form-data; name="image"\r\n\r\n',
    ],
    json: ['Content-Type: application/json\r\n\r\n', '{"image":["'],
  }
  test.each(['form', 'json'] as const)(
    'when the client hangs up in the middle of a body: %s',
    async (path) => {
      const socket = connect(Number(new URL(bodies.url).port), '127.0.0.1')
      const text = path === 'form' ? picture : picture.toString('base64')
      socket.write(`POST /${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n${heads[path].join('')}`)
      socket.write(text)
      await expect.poll(() => bodies.spool.heldBytes).toBeGreaterThan(1_000_000)
      socket.destroy()
      await nothingIsLeft()
    },
  )

  test('when the client hangs up while a route works that has not taken them', async () => {
    const caller = new AbortController()
    const call = fetch(`${bodies.url}/wait`, { method: 'POST', body: form(picture), signal: caller.signal })
    await allIsThere(1)
    caller.abort()
    await expect(call).rejects.toThrow()
    await nothingIsLeft()
    letGo()
  })
})

test('a route that takes them has them until its work is done, whoever hangs up', async () => {
  const caller = new AbortController()
  const call = fetch(`${bodies.url}/take`, {
    method: 'POST',
    body: form(picture, picture),
    signal: caller.signal,
  })
  await allIsThere(2)
  caller.abort()
  await expect(call).rejects.toThrow()
  // A disposal that comes by mistake comes at once.
  await new Promise((resolve) => setTimeout(resolve, 200))
  await allIsThere(2)
  letGo()
  await nothingIsLeft()
  expect(await (await post('/take', form(picture))).text()).toBe('done')
  await nothingIsLeft()
})

describe('a form', () => {
  test('is 415 where none is taken, with a hint', async () => {
    const response = await post('/json', form('a'))
    expect(response.status).toBe(415)
    expect(await response.json()).toMatchObject({
      error: { code: 'unsupported_media_type', message: expect.stringContaining('send JSON') },
    })
  })

  test('may be compressed', async () => {
    const packed = new Request('http://x', { method: 'POST', body: form(picture, 'a') })
    const response = await post('/form', new Uint8Array(gzipSync(await packed.arrayBuffer())), {
      'content-type': packed.headers.get('content-type') ?? '',
      'content-encoding': 'gzip',
    })
    expect(await response.json()).toMatchObject({ fields: [['prompt', 'a']], files: [{ name: 'image' }] })
  })

  test('is bounded as a whole, also where compression hides it', async () => {
    const zeros = Buffer.alloc(15 * mebibyte)
    const part = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--b'
    // As much as a JSON body, where three pictures of 2 MiB and 8 MiB around them may come as they are.
    for (const [begin, status, message] of [
      ['--b\r\n', 400, 'headers of more than 8192 bytes'],
      [`${part}\r\n`, 400, 'headers of more than 8192 bytes'],
      ['', 400, 'no parts'],
      [`${part}--\r\n`, 413, 'larger than the 8388608 bytes'],
    ] as const) {
      const response = await post(
        '/form',
        new Uint8Array(gzipSync(Buffer.concat([Buffer.from(begin), zeros]))),
        {
          'content-type': 'multipart/form-data; boundary=b',
          'content-encoding': 'gzip',
        },
      )
      expect(response.status).toBe(status)
      expect(JSON.stringify(await response.json())).toContain(message)
    }
  })

  test('a route that takes forms takes JSON too', async () => {
    expect(await (await post('/form', '{"prompt":"a"}', asJson)).json()).toEqual({ prompt: 'a' })
  })
})

test('a client that sends everything before it reads gets its refusal', async () => {
  const socket = connect(Number(new URL(bodies.url).port), '127.0.0.1')
  const body = Buffer.concat([
    Buffer.from('--b\r\nContent-Disposition: form-data; name="image"\r\n\r\n'),
    Buffer.alloc(6 * mebibyte),
  ])
  socket.pause()
  socket.write(
    `POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n`,
  )
  await new Promise((resolve) => socket.write(body, resolve))
  const answer: Buffer[] = []
  socket.on('data', (chunk) => answer.push(chunk)).resume()
  await once(socket, 'close')
  expect(Buffer.concat(answer).toString()).toMatch(/^HTTP\/1.1 413 /)
})

test('many large pictures at once do not fill the memory', { timeout: 120_000 }, async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'testing/body-server.ts')])
  try {
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    const url = String(line).trim()
    const rss = async () => Number(await (await fetch(`${url}/rss`)).text())
    const send = async (path: string, body: FormData | string, headers = {}) =>
      statusOf(fetch(url + path, { method: 'POST', body, headers }))
    await send('/json', '{}', asJson)
    const idleBytes = await rss()
    const large = Buffer.alloc(30 * mebibyte, 'gesso ')
    const base64 = json(large)
    const calls = Promise.all([
      ...Array.from({ length: 5 }, () => send('/form', form(large))),
      ...Array.from({ length: 1 }, () => send('/json', base64, asJson)),
    ])
    let peakBytes = 0
    let isOver = false
    const end = calls.finally(() => {
      isOver = true
    })
    while (!isOver) peakBytes = Math.max(peakBytes, await rss())
    expect(await end).toEqual(Array(6).fill(200))
    expect(peakBytes - idleBytes).toBeLessThan(150 * mebibyte)
  } finally {
    child.kill()
  }
})
