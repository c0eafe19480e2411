/** Answers to what the HTTP parser could not read as a request, in the shape of every other error. */
import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { badRequest, GessoError } from '../lib/errors.ts'
import { createId } from '../lib/ids.ts'
import { toHttpError } from './errors.ts'

/** Writes the answer to the bare connection, which is then over. */
export function answerBrokenRequest(error: Error & { code?: string }, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const { status, reason, refusal } = brokenRequests[error.code ?? ''] ?? malformed
  const { text, headers } = refused(refusal)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status} ${reason}\r\n${lines.join('')}\r\n${text}`)
}

/** RFC 9110, section 10.1.1: 417 for an `Expect` that is not `100-continue`. */
export function answerUnknownExpectation(response: ServerResponse): void {
  const { text, headers } = refused(
    badRequest('Expect', 'The Expect header may only be 100-continue; leave it out.'),
  )
  response.writeHead(417, headers).end(text)
}

function refused(refusal: GessoError): { text: string; headers: Record<string, string> } {
  const requestId = createId('req')
  const { headers, body } = toHttpError(refusal, requestId)
  const text = JSON.stringify(body)
  return {
    text,
    headers: {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': String(Buffer.byteLength(text)),
      Connection: 'close',
      'x-request-id': requestId,
      ...headers,
    },
  }
}

interface BrokenRequest {
  status: number
  reason: string
  refusal: GessoError
}

const malformed: BrokenRequest = {
  status: 400,
  reason: 'Bad Request',
  refusal: badRequest(null, 'This is not a well-formed HTTP request.'),
}

const brokenRequests: Record<string, BrokenRequest> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    reason: 'Request Header Fields Too Large',
    refusal: badRequest(null, 'The headers of this request are larger than this server takes.'),
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    reason: 'Request Timeout',
    refusal: new GessoError({
      code: 'request_timeout',
      attribution: 'client',
      message: 'The request did not arrive in the time this server waits.',
      retryable: true,
    }),
  },
}
