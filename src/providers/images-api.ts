/**
 * OpenAI's Images API as a client: one call that makes pictures or changes them, answered at once or as a stream. Where
 * it stands and what it is called is said by the provider that uses it.
 */
import type { ProviderHttp, ProviderHttpAnswer, ProviderHttpCall } from './http.ts'
import type { Dialect } from './images-api-dialects.ts'
import { imagesApiFailure } from './images-api-failure.ts'
import { type Asked, readImages, readReply } from './images-api-reply.ts'
import { type ImageCall, imageCall } from './images-api-request.ts'
import { createImageStream } from './images-api-stream.ts'
import type { ProviderOutcome, ProviderRequest, Watching } from './provider.ts'
import type { ProviderNames } from './vendor-failure.ts'
import { secretsOf } from './wire-fields.ts'

export interface ImagesApi {
  names: ProviderNames
  /** Where the calls go, and with which credentials. Throws `ProviderError` where it is not configured. */
  address(path: ImageCall['path'], request: ProviderRequest): Pick<ProviderHttpCall, 'url' | 'headers'>
  timeoutMs: number
  maxResponseBytes: number
  /** May result URLs be private? */
  trusted: boolean
  http: ProviderHttp
}

/** The most pictures that a series of Seedream, whose words these are, may have. */
const longestSeries = 15

/** Makes the pictures in one call. Throws `ProviderError`. */
export async function drawPictures(
  api: ImagesApi,
  request: ProviderRequest,
  dialect: Dialect,
  signal: AbortSignal,
): Promise<ProviderOutcome> {
  const { title } = api.names
  const answer = await send(api, request, imageCall(request, { title, dialect }), { signal })
  return readReply(answer, askedOf(api, request))
}

/**
 * The same for someone who watches. A server that does not stream is read as ever. Throws `ProviderError`; an error
 * within the stream may come after the work, so it never invites a repetition.
 */
export async function streamPictures(
  api: ImagesApi,
  request: ProviderRequest,
  dialect: Dialect,
  { watching, signal }: { watching: Watching; signal: AbortSignal },
): Promise<ProviderOutcome> {
  const { title } = api.names
  const asked = askedOf(api, request)
  const more = { stream: true, partial_images: watching.partialImages }
  const call = imageCall(request, { title, dialect, more })
  const { onEvent, reply } = createImageStream(watching, asked.atMost)
  const answer = await send(api, request, call, { signal, onEvent })
  const isStream = /^text\/event-stream\b/i.test(answer.headers.get('content-type') ?? '')
  return isStream ? readImages(reply(), answer, asked) : readReply(answer, asked)
}

async function send(
  api: ImagesApi,
  request: ProviderRequest,
  call: ImageCall,
  listening: Pick<ProviderHttpCall, 'signal' | 'onEvent'>,
): Promise<ProviderHttpAnswer> {
  const { names, timeoutMs, maxResponseBytes, http } = api
  const frame: ProviderHttpCall = {
    title: names.title,
    ...api.address(call.path, request),
    timeoutMs,
    maxResponseBytes,
    withhold: secretsOf(request),
    ...listening,
  }
  const answer =
    call.path === '/images/edits'
      ? await http.postForm({ ...frame, parts: call.parts })
      : await http.postJson({ ...frame, body: call.body })
  if (answer.status >= 400) throw imagesApiFailure(answer, names)
  return answer
}

function askedOf({ names, trusted }: ImagesApi, { n, series }: ProviderRequest): Asked {
  return { names, n, atMost: series ? Math.max(n, series.maxImages ?? longestSeries) : n, trusted }
}
