/**
 * Input pictures that are too large for the JSON of a prediction go ahead as files (`POST /files`, Replicate's guide
 * "Input files", read 2026-11-20). No prediction exists before they are all there, so whatever fails here has cost nothing.
 */
import type { ProviderHttp, ProviderHttpAnswer, ProviderHttpCall } from '../http.ts'
import type { InputImage, InputMediaType } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { noPicture, type ProviderNames } from '../vendor-failure.ts'
import { submissionFailure } from './replicate-failure.ts'
import { goesInline } from './replicate-request.ts'
import { wireFile } from './replicate-schema.ts'

const fileEndings: Partial<Record<InputMediaType, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
}

/** Media types of input pictures that every model takes. */
export const inputMediaTypes = Object.keys(fileEndings) as InputMediaType[]

/**
 * Uploads the large ones among the pictures, one after the other; answers their addresses by position. `call.url` is the
 * base URL. Throws `ProviderError` with `dispatched` `no`.
 */
export async function uploadLarge(
  http: ProviderHttp,
  call: ProviderHttpCall,
  { images, names }: { images: readonly InputImage[]; names: ProviderNames },
): Promise<Map<number, string>> {
  const uploaded = new Map<number, string>()
  for (const [index, image] of images.entries()) {
    if (goesInline(image)) continue
    try {
      uploaded.set(index, await upload(http, call, { image, names }))
    } catch (error) {
      throw error instanceof ProviderError ? beforeTheWork(error, names, call.signal) : error
    }
  }
  return uploaded
}

async function upload(
  http: ProviderHttp,
  call: ProviderHttpCall,
  { image, names }: { image: InputImage; names: ProviderNames },
): Promise<string> {
  const answer = await http.postForm({ ...call, url: `${call.url}/files`, parts: [filePart(image)] })
  if (answer.status >= 400) throw submissionFailure(answer, names)
  return readFileUrl(answer, names)
}

function filePart(image: InputImage) {
  const { mediaType, sizeBytes } = image
  return {
    name: 'content',
    filename: `image.${fileEndings[mediaType] ?? 'bin'}`,
    contentType: mediaType,
    sizeBytes,
    stream: () => image.stream(),
  }
}

function readFileUrl(answer: ProviderHttpAnswer, { title }: ProviderNames): string {
  const { data } = wireFile.safeParse(answer.json)
  if (!data) throw noPicture(title, 'did not tell where it keeps an input picture', answer.excerpt())
  return data.urls.get
}

/** The same failure, told as one after which nothing has begun: who waits may try again. */
function beforeTheWork(error: ProviderError, { title }: ProviderNames, signal?: AbortSignal): ProviderError {
  if (error.dispatched === 'no') return error
  const isOurs = error.attribution === 'platform'
  return new ProviderError({
    code: isOurs ? 'internal_error' : 'upstream_unavailable',
    attribution: isOurs ? 'platform' : 'upstream',
    message: isOurs
      ? `An input picture could not be read while it was sent to ${title}.`
      : `${title} did not take an input picture.`,
    detail: error.detail ?? error.message,
    retryable: !isOurs && !signal?.aborted,
    dispatched: 'no',
  })
}
