/**
 * OpenAI's Images API as a client: one call that makes pictures or changes them, answered at once or as a stream. Where
 * it stands and what it is called is said by the provider that uses it.
 */
import { excerpt } from './excerpt.ts'
import type { ProviderHttp, ProviderHttpAnswer, ProviderHttpCall } from './http.ts'
import type { Dialect } from './images-api-dialects.ts'
import { imagesApiFailure } from './images-api-failure.ts'
import { type Asked, readImages, readReply } from './images-api-reply.ts'
import { type ImageCall, imageCall } from './images-api-request.ts'
import { createImageStream } from './images-api-stream.ts'
import type { ProviderOutcome, ProviderRequest, Watching } from './provider.ts'
import { ProviderError } from './provider-error.ts'
import { secretsOf } from './request-secrets.ts'
import type { ProviderNames } from './vendor-failure.ts'

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
 * The same for someone who watches. A server that does not stream is read as ever, and a picture that has arrived is not
 * lost to how the stream ends. Throws `ProviderError`; an error within the stream may come after the work, so it never
 * invites a repetition.
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
  const { onEvent, hasAll, hasBegun, hasResult, reply } = createImageStream(watching, asked.atMost)
  let answer: ProviderHttpAnswer
  let broken: ProviderError | undefined
  try {
    answer = await send(api, request, call, { signal, onEvent, hasAll })
  } catch (error) {
    if (!(error instanceof ProviderError) || !hasResult()) throw error
    answer = unfinished(api, request, call)
    broken = error
  }
  if (!hasBegun()) return readReply(answer, asked)
  const said = reply()
  const ending = said.error ? imagesApiFailure(answer, api.names, said.error) : broken
  return readImages(said, answer, asked, ending)
}

/** Stands for an answer that broke off, of which nothing is known but its events. */
function unfinished(api: ImagesApi, request: ProviderRequest, { path }: ImageCall): ProviderHttpAnswer {
  const { headers = {} } = api.address(path, request)
  const keys = Object.values(headers).flatMap((value) => [value, value.replace(/^\S+\s+/, '')])
  const withheld = [...secretsOf(request), ...keys]
  return {
    status: 200,
    headers: { get: () => undefined },
    json: undefined,
    excerpt: (text = '') => excerpt(text, withheld),
  }
}

async function send(
  api: ImagesApi,
  request: ProviderRequest,
  call: ImageCall,
  listening: Pick<ProviderHttpCall, 'signal' | 'onEvent' | 'hasAll'>,
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
