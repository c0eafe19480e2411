/**
 * Reads JSON bodies within bounds: a limit on the decompressed bytes of one body, and a budget for all that are
 * being read. Nothing of a body is touched before the router has found a route that takes one and its caller is
 * known.
 */
import { pipeline, type Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { badRequest, GessoError } from '../lib/errors.ts'
import { type BodyBudget, createBodyBudget } from './body-budget.ts'
import { parseJson } from './parse-json.ts'

const decoders: Record<string, () => NodeJS.ReadWriteStream> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
}

/** Registers the parser for `application/json`; every other content type is refused with 415. */
export function readJsonBodies(
  server: FastifyInstance,
  bounds: { limitBytes: number; budgetBytes: number },
): void {
  // A budget below the limit would turn a body away for ever.
  const budget = createBodyBudget(Math.max(bounds.budgetBytes, bounds.limitBytes))
  server.removeAllContentTypeParsers()
  server.addContentTypeParser(
    /^application\/(.+\+)?json(;|$)/i,
    async (request: FastifyRequest, payload: Readable) =>
      readBody(decode(request, payload), bounds.limitBytes, budget),
  )
}

/** The body as it was before `Content-Encoding`. */
function decode(request: FastifyRequest, payload: Readable): Readable {
  const encoding = request.headers['content-encoding']?.trim().toLowerCase()
  if (encoding === undefined || encoding === '' || encoding === 'identity') return payload
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

/** Counts decoded bytes and stops at the bounds, so that a small compressed body cannot become a large one. */
async function readBody(payload: Readable, limitBytes: number, budget: BodyBudget): Promise<object> {
  using share = budget.open()
  const chunks: Buffer[] = []
  let sizeBytes = 0
  try {
    for await (const chunk of payload as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length
      if (sizeBytes > limitBytes) throw tooLarge(limitBytes)
      share.take(chunk.length)
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof GessoError) throw error
    throw badRequest(
      null,
      'The body could not be read: it ended early, or is not in the encoding that Content-Encoding names.',
    )
  }
  return parseJson(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, sizeBytes))
}

function tooLarge(limitBytes: number): GessoError {
  return new GessoError({
    code: 'request_too_large',
    attribution: 'client',
    message: `The request body is larger than the ${limitBytes} bytes this server takes (counted after decompression).`,
  })
}
