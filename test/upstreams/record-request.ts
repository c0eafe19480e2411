/**
 * A request as a fake vendor remembers it. Pictures are hashed while they arrive, whether they come as files of a
 * form or as data URIs in JSON, and become `RecordedFile`s, so that many large ones do not fill the memory.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { Busboy } from '@fastify/busboy'
import { type RecordedFile, recordFile } from './recorded-file.ts'

export interface RecordedRequest {
  method: string
  /** Path and query. */
  path: string
  headers: IncomingHttpHeaders
  /**
   * JSON parsed, a form as an object of its parts (a repeated name is an array), `undefined` without a body.
   * Pictures are `RecordedFile`s in both.
   */
  body: unknown
}

/** Reads the request to its end. Rejects when it breaks off. */
export async function recordRequest(message: IncomingMessage): Promise<RecordedRequest> {
  const { method = '', url: path = '', headers } = message
  return { method, path, headers, body: await readBody(message) }
}

async function readBody(message: IncomingMessage): Promise<unknown> {
  const type = message.headers['content-type'] ?? ''
  if (type.startsWith('multipart/form-data')) return readForm(message, type)
  const bytes = await buffer(message)
  return bytes.length > 0 ? recordPictures(JSON.parse(bytes.toString())) : undefined
}

type Value = string | RecordedFile

async function readForm(message: IncomingMessage, type: string): Promise<Record<string, Value | Value[]>> {
  const parts: [string, Value | Promise<Value>][] = []
  const brokeOff = new AbortController()
  const form = new Busboy({ headers: { ...message.headers, 'content-type': type } })
  form.on('field', (name, value) => parts.push([name, value]))
  form.on('file', (name, stream, filename, _encoding, mediaType) => {
    const file = recordFile(stream, { filename, mediaType }, brokeOff.signal)
    // Waited for below; until then its failure is nobody's.
    file.catch(() => undefined)
    parts.push([name, file])
  })
  await pipeline(message, form).catch((error: unknown) => {
    brokeOff.abort()
    throw error
  })
  const body: Record<string, Value | Value[]> = {}
  for (const [name, value] of parts) {
    const earlier = body[name]
    const one = await value
    body[name] = earlier === undefined ? one : [earlier, one].flat()
  }
  return body
}

/** The value with every data URI of a picture in it replaced by what is remembered of the picture. */
async function recordPictures(value: unknown): Promise<unknown> {
  if (typeof value === 'string') {
    const [prefix, mediaType] = /^data:(image\/[\w.+-]+);base64,/.exec(value) ?? []
    if (!prefix || !mediaType) return value
    return recordFile(Readable.from([Buffer.from(value.slice(prefix.length), 'base64')]), { mediaType })
  }
  if (Array.isArray(value)) return Promise.all(value.map(recordPictures))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(async ([name, one]) => [name, await recordPictures(one)] as const)
  return Object.fromEntries(await Promise.all(entries))
}
