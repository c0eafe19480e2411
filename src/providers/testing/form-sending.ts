/** Forms that count what is taken of their files, and a client to send them with, for the tests of `postForm`. */
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { expect } from 'vitest'
import type { FormPart } from '../form-body.ts'
import { createProviderHttp } from '../http.ts'
import { ProviderError } from '../provider-error.ts'

export const megabyte = 1024 * 1024

/** What was opened for a test. A file closes it in its own `afterEach`: this module may serve several files. */
const opened: { close(): unknown }[] = []

/** Closes what the test that ends has opened. */
export async function closeOpened(): Promise<void> {
  for (const resource of opened.splice(0).reverse()) await resource.close()
}

/** Opens the server for the test that runs, and tells where it is. */
export async function at(server: Promise<{ origin: string; close(): unknown }>): Promise<string> {
  const { origin, close } = await server
  opened.push({ close })
  return origin
}

export interface Sending {
  timeoutMs?: number
  signal?: AbortSignal
}

export function client() {
  const http = createProviderHttp({ connectTimeoutMs: 2_000 })
  opened.push(http)
  return (origin: string, parts: readonly FormPart[], sending: Sending = {}) =>
    http.postForm({
      title: 'Vendor',
      url: `${origin}/v1/images/edits`,
      timeoutMs: 10_000,
      maxResponseBytes: 100_000,
      ...sending,
      parts,
    })
}

export async function failure(promise: Promise<unknown>): Promise<ProviderError> {
  const thrown = await promise.then(
    () => new Error('it succeeded'),
    (error: unknown) => error,
  )
  expect(thrown).toBeInstanceOf(ProviderError)
  return thrown as ProviderError
}

export function file(stream: () => Readable, sizeBytes: number) {
  return { name: 'image', filename: 'image.png', contentType: 'image/png', sizeBytes, stream }
}

export function fileOf(bytes: Buffer) {
  return file(() => Readable.from([bytes], { objectMode: false }), bytes.length)
}

/** A file of `sizeBytes` that counts what was taken of it and whether it is closed. */
export function countedFile(sizeBytes: number, failAfterBytes = Number.POSITIVE_INFINITY) {
  const seen = { takenBytes: 0, streams: [] as Readable[] }
  const piece = Buffer.alloc(64 * 1024, 'g')
  const stream = () => {
    const source = new Readable({
      read() {
        const left = sizeBytes - seen.takenBytes
        seen.takenBytes += Math.min(left, piece.length)
        if (seen.takenBytes > failAfterBytes) this.destroy(new Error('the disk is gone'))
        else this.push(left > 0 ? piece.subarray(0, left) : null)
      },
    })
    seen.streams.push(source)
    return source
  }
  return { seen, part: file(stream, sizeBytes) }
}

export async function expectClosed(streams: readonly Readable[]): Promise<void> {
  expect(streams).not.toEqual([])
  for (const stream of streams) if (!stream.closed) await once(stream, 'close')
}

export const unsent = { dispatched: 'no' }
export const unknown = { code: 'outcome_unknown', dispatched: 'unknown', retryable: false }
export const answerOf = (status: number, body = '{}') =>
  `HTTP/1.1 ${status} Told\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
