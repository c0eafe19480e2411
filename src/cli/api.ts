/**
 * The API as the command line calls it: one request, its answer checked, its refusals as failures with the right
 * exit code. It waits as long as a model needs; whoever calls may abort.
 */
import { FormData, request } from 'undici'
import { z } from 'zod'
import { CommandFailure, exitCodeOfStatus, unreachable } from './failure.ts'

export interface ApiAddress {
  url: string
  key: string
  /** Where the key came from, for the message when it is refused. */
  keySource: string
}

export interface ApiCall<Schema extends z.ZodType> {
  path: string
  /** A body makes it a POST; JSON, or a form. */
  body?: object | FormData
  /** The part of the answer that is used. */
  answer: Schema
  signal?: AbortSignal
}

const errorAnswer = z.object({
  error: z.object({
    message: z.string(),
    type: z.string(),
    code: z.string().nullable(),
    param: z.string().nullable(),
  }),
})

/** Calls the API; `json` is its whole answer. Throws `CommandFailure` for refusals, and where no Gesso answers. */
export async function callApi<Schema extends z.ZodType>(
  address: ApiAddress,
  call: ApiCall<Schema>,
): Promise<{ value: z.output<Schema>; json: unknown; requestId: string | undefined }> {
  const { status, headers, text } = await exchange(address, call)
  const requestId = typeof headers['x-request-id'] === 'string' ? headers['x-request-id'] : undefined
  const json = parseJson(text)
  if (status === 200) {
    const parsed = call.answer.safeParse(json)
    if (parsed.success) return { value: parsed.data, json, requestId }
  }
  const refusal = errorAnswer.safeParse(json)
  if (status < 400 || !refusal.success) {
    throw unreachable(
      `What answers at ${address.url} is no Gesso server: it said ${status} in another way than Gesso does.`,
    )
  }
  const { message, type, code, param } = refusal.data.error
  throw new CommandFailure({
    exitCode: exitCodeOfStatus(status),
    type,
    code: code ?? type,
    message,
    param,
    requestId,
    hint:
      status === 401
        ? `The key came from ${address.keySource} and was sent to ${address.url}.`
        : retryHint(headers),
  })
}

async function exchange(address: ApiAddress, call: ApiCall<z.ZodType>) {
  try {
    const response = await request(`${address.url}${call.path}`, {
      method: call.body ? 'POST' : 'GET',
      headers: {
        authorization: `Bearer ${address.key}`,
        'user-agent': 'gesso-cli',
        ...(call.body && !(call.body instanceof FormData) ? { 'content-type': 'application/json' } : {}),
      },
      body: call.body instanceof FormData ? call.body : call.body && JSON.stringify(call.body),
      // The server has its own limits; ours would only hide its answer.
      headersTimeout: 0,
      bodyTimeout: 0,
      // A kept connection would keep the process, or the server in it, waiting.
      reset: true,
      signal: call.signal,
    })
    return { status: response.statusCode, headers: response.headers, text: await response.body.text() }
  } catch (error) {
    if (call.signal?.aborted) throw error
    if (call.body !== undefined && !neverConnected.has(codeOf(error))) {
      throw unreachable(
        `The connection to ${address.url} broke before the answer came: ${reason(error)}.`,
        'What was asked for may have been done all the same, and cost what it costs.',
      )
    }
    throw unreachable(
      `The server at ${address.url} cannot be reached: ${reason(error)}.`,
      'Start one with `gesso serve`, or check --url and GESSO_URL.',
    )
  }
}

/** Nothing was sent yet. */
const neverConnected = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

function reason(error: unknown): string {
  if (error instanceof AggregateError) return reason(error.errors[0])
  return error instanceof Error ? error.message : String(error)
}

function retryHint(headers: Record<string, string | string[] | undefined>): string | undefined {
  const seconds = headers['retry-after']
  return typeof seconds === 'string' ? `Try again in ${seconds} s.` : undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
