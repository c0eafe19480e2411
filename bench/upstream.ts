/**
 * An image provider that costs nothing: its answers are whole buffers made before the first request, sent the
 * moment a request has been read. It is a process of its own, so that its work is not counted as anyone's, and
 * it must never do anything per request that could be done before.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fakePicture } from '../test/upstreams/fake-picture.ts'

export type AnswerSize = 'small' | 'large'

/** Noise does not compress, so the edge decides the size of the PNG: about 1 kB and 2 MB. */
const edges: Record<AnswerSize, number> = { small: 18, large: 798 }

export interface Upstream extends AsyncDisposable {
  /** Base URL of the provider that answers in this size, as `OPENAI_BASE_URL` would name it. */
  baseUrl(size: AnswerSize): string
  port: number
  /** Bytes of each picture, before base64. */
  pictureBytes: Record<AnswerSize, number>
}

interface Ready {
  port: number
  pictureBytes: Record<AnswerSize, number>
}

/** Starts the provider in its own process. It ends with this one, however this one ends. */
export async function startUpstream(signal: AbortSignal): Promise<Upstream> {
  const child = fork(import.meta.filename, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const ended = once(child, 'exit')
  const died = ended.then(([code]) => {
    throw new Error(`the upstream did not start (exit ${code})`)
  })
  const [ready] = (await Promise.race([once(child, 'message', { signal }), died]).catch((error: unknown) => {
    child.kill('SIGKILL')
    throw error
  })) as [Ready]
  died.catch(() => undefined)
  return {
    ...ready,
    baseUrl: (size) => `http://127.0.0.1:${ready.port}/${size}/v1`,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

async function serve(): Promise<void> {
  const small = await picture('small')
  const large = await picture('large')
  const answers = { small: answer(small), large: answer(large) }
  const server = createServer((request, response) => {
    const body = request.url?.startsWith('/large/') ? answers.large : answers.small
    request.resume().on('end', () => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length })
      response.end(body)
    })
  })
  // An idle connection closed under a client's next request would be a failure that nobody measured is to blame for.
  server.keepAliveTimeout = 600_000
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  process.on('disconnect', () => process.exit())
  const { port } = server.address() as AddressInfo
  process.send?.({ port, pictureBytes: { small: small.length, large: large.length } } satisfies Ready)
}

function picture(size: AnswerSize): Promise<Buffer> {
  const edge = edges[size]
  return fakePicture({ width: edge, height: edge, format: 'png', index: 0, noisy: true })
}

/** The shape of a GPT Image answer. */
function answer(bytes: Buffer): Buffer {
  return Buffer.from(
    JSON.stringify({
      created: 1_790_000_000,
      data: [{ b64_json: bytes.toString('base64') }],
      background: 'opaque',
      output_format: 'png',
      quality: 'low',
      size: '1024x1024',
      usage: {
        input_tokens: 20,
        input_tokens_details: { text_tokens: 20, image_tokens: 0 },
        output_tokens: 200,
        total_tokens: 220,
      },
    }),
  )
}

if (import.meta.main) await serve()
