/**
 * A form as it came: texts, and files that went to the spool while they arrived. What the fields mean is the routes'
 * business; here nothing is dropped, renamed or put in another order.
 */
import type { Spool } from '../inputs/spool.ts'
import { badRequest } from '../lib/errors.ts'
import type { BodyShare } from './body-budget.ts'
import { boundaryOf, formParts } from './form-parts.ts'
import { type PartHeaders, readPartHeaders } from './part-headers.ts'
import {
  type FormReceiving,
  type MultipartPart,
  type PartReceiver,
  receiveFile,
  receiveText,
} from './receive-part.ts'
import { receivePicture } from './receive-picture.ts'
import type { Uploads } from './uploads.ts'

/** What stands in `request.body` for a form. */
export class MultipartBody {
  /** Texts and files, in order of arrival. */
  readonly parts: readonly MultipartPart[]

  constructor(parts: readonly MultipartPart[]) {
    this.parts = parts
  }
}

export interface MultipartOptions {
  contentType: string
  spool: Spool
  /** Of one file. */
  maxImageBytes: number
  /** Without the mask, for which there is room beside them. */
  maxImages: number
  uploads: Uploads
  share: BodyShare
}

const mebibyte = 1024 * 1024
const maxParts = 1_000
/** Clients send pictures under these names without saying that they are files. */
const pictureName = /^(?:images?|mask|markup)(?:\[\d{0,4}\])?$/
/** Base64 has four characters for three bytes, and a line break for each of its lines. */
const base64Growth = 1.4

/** The most bytes that a form can have within its limits: every picture at its largest, and what stands around them. */
export function maxMultipartBytes(limits: { maxImageBytes: number; maxImages: number }): number {
  return Math.ceil((limits.maxImages + 1) * limits.maxImageBytes * base64Growth) + 8 * mebibyte
}

/** Reads to the end of the chunks. Throws 400, 413 and `queue_full`; what is in the spool by then has its owner. */
export async function readMultipartBody(
  chunks: AsyncIterable<Buffer>,
  { contentType, ...options }: MultipartOptions,
): Promise<MultipartBody> {
  await using unfinished = new AsyncDisposableStack()
  const form: FormReceiving = { ...options, unfinished, textBytes: 0, files: 0 }
  const parts: MultipartPart[] = []
  let receiver: PartReceiver | undefined
  let begun = 0
  for await (const event of formParts(chunks, boundaryOf(contentType))) {
    if (event !== 'end' && 'begin' in event) {
      const headers = readPartHeaders(event.begin)
      if (++begun > maxParts) throw badRequest(null, `The form has more than ${maxParts} parts.`)
      receiver = receiverFor(headers, form)
    } else if (receiver && event === 'end') parts.push(await receiver.end())
    else if (receiver && event !== 'end') await receiver.take(event.bytes)
  }
  return new MultipartBody(parts)
}

function receiverFor(headers: PartHeaders, form: FormReceiving): PartReceiver {
  const { name, filename, contentType } = headers
  if (filename !== undefined) return receiveFile(headers, form)
  if (pictureName.test(name)) return receivePicture(headers, form)
  const isText = contentType === undefined || contentType === 'text/plain'
  return isText ? receiveText(headers, form) : receiveFile(headers, form)
}
