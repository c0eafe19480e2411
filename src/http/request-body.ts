/**
 * Reads request bodies within bounds: a limit on the decompressed bytes of one body, and a budget for what all that
 * are being read hold in memory. Nothing of a body is touched before the router has found a route that takes one and
 * its caller is known, and nothing of a refused one is left.
 */
import { IncomingMessage } from 'node:http'
import { pipeline, type Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Spool } from '../inputs/spool.ts'
import { badRequest, GessoError } from '../lib/errors.ts'
import { type BodyShare, createBodyBudget } from './body-budget.ts'
import { readJsonBody } from './json-body.ts'
import { maxMultipartBytes, readMultipartBody } from './multipart-body.ts'
import { ownUploads, type Uploads, uploadsOf } from './uploads.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route takes forms with files, as a `MultipartBody`, beside JSON. */
    multipart?: boolean
  }
}

/** What one body may hold, and all of them together. */
export interface BodyBounds {
  /** The largest JSON body, after decompression. */
  limitBytes: number
  /** What all bodies may hold in memory while they are read. */
  budgetBytes: number
  /** Where pictures go while they arrive. */
  spool: Spool
  /** Bounds of the pictures of one request; a mask has room beside `maxImages`. */
  uploads: { maxImageBytes: number; maxImages: number }
}

/** How long the rest of a body that was refused may take to arrive. */
const lingerMs = 2_000

const decoders: Record<string, () => NodeJS.ReadWriteStream> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
}

/** Registers the parsers for JSON and for forms; every other content type is refused with 415. */
export function readBodies(server: FastifyInstance, bounds: BodyBounds): void {
  const { spool, limitBytes } = bounds
  const { maxImageBytes } = bounds.uploads
  // A budget below the limit would turn a body away for ever.
  const budget = createBodyBudget(Math.max(bounds.budgetBytes, limitBytes))
  const read = async <Body>(
    request: FastifyRequest,
    payload: Readable,
    mostBytes: number,
    readBody: (chunks: AsyncIterable<Buffer>, own: { uploads: Uploads; share: BodyShare }) => Promise<Body>,
  ): Promise<Body> => {
    const uploads = uploadsOf(request)
    try {
      using share = budget.open()
      return await readBody(bounded(decode(request, payload), mostBytes), { uploads, share })
    } catch (error) {
      await uploads[Symbol.asyncDispose]()
      await readAway(payload)
      throw error
    }
  }

  ownUploads(server, spool)
  server.removeAllContentTypeParsers()
  server.addContentTypeParser(
    /^application\/(.+\+)?json(;|$)/i,
    async (request: FastifyRequest, payload: Readable) =>
      read(request, payload, limitBytes, (chunks, own) =>
        readJsonBody(chunks, { spool, maxImageBytes, ...own }),
      ),
  )
  server.addContentTypeParser(
    /^multipart\/form-data\s*(;|$)/i,
    async (request: FastifyRequest, payload: Readable) => {
      if (!request.routeOptions.config.multipart) throw noForms()
      const contentType = request.headers['content-type'] ?? ''
      // Pictures do not shrink when they are compressed: a form that does has another purpose.
      const mostBytes = isEncoded(request) ? limitBytes : maxMultipartBytes(bounds.uploads)
      return read(request, payload, mostBytes, (chunks, own) =>
        readMultipartBody(chunks, { contentType, spool, ...bounds.uploads, ...own }),
      )
    },
  )
}

function isEncoded(request: FastifyRequest): boolean {
  const encoding = request.headers['content-encoding']?.trim().toLowerCase()
  return encoding !== undefined && encoding !== '' && encoding !== 'identity'
}

/** The body as it was before `Content-Encoding`. */
function decode(request: FastifyRequest, payload: Readable): Readable {
  if (!isEncoded(request)) return payload
  const encoding = request.headers['content-encoding']?.trim().toLowerCase() ?? ''
  const decoder = Object.hasOwn(decoders, encoding) ? decoders[encoding] : undefined
  if (!decoder) {
    throw new GessoError({
      code: 'unsupported_media_type',
      attribution: 'client',
      message: `Content-Encoding ${JSON.stringify(encoding.slice(0, 40))} is not understood; use gzip, br, deflate, zstd or none.`,
    })
  }
  // Errors of either side surface where the decoded stream is read.
  return pipeline(payload, decoder() as NodeJS.ReadWriteStream & Readable, () => undefined) as Readable
}

/** Counts decoded bytes and stops at the limit, so that a small compressed body cannot become a large one. */
async function* bounded(payload: Readable, mostBytes: number): AsyncGenerator<Buffer> {
  let sizeBytes = 0
  // What a refusal leaves of a plain body can still be read; a decoder has to be let go.
  const chunks = payload.iterator({ destroyOnReturn: !(payload instanceof IncomingMessage) })
  try {
    for await (const chunk of chunks as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length
      if (sizeBytes > mostBytes) throw tooLarge(mostBytes)
      yield chunk
    }
  } catch (error) {
    if (error instanceof GessoError) throw error
    throw badRequest(
      null,
      'The body could not be read: it ended early, or is not in the encoding that Content-Encoding names.',
    )
  }
}

/**
 * Lets a client finish that sends everything before it reads: a connection that is closed in its face would hide the
 * answer, and most clients would send the whole body again.
 */
async function readAway(payload: Readable): Promise<void> {
  if (payload.destroyed || payload.readableEnded) return
  payload.resume()
  await finished(payload, { signal: AbortSignal.timeout(lingerMs) }).catch(() => undefined)
}

function tooLarge(limitBytes: number): GessoError {
  return new GessoError({
    code: 'request_too_large',
    attribution: 'client',
    message: `The request body is larger than the ${limitBytes} bytes this server takes (counted after decompression).`,
  })
}

function noForms(): GessoError {
  return new GessoError({
    code: 'unsupported_media_type',
    attribution: 'client',
    message:
      'This operation takes no multipart/form-data; send JSON with the header "Content-Type: application/json".',
  })
}
