/**
 * Takes in one part of a form while it arrives: as text, as the bytes of a file, or as base64 that is decoded on its
 * way to the spool. Text is bounded for the whole form; no picture is ever held in memory as text.
 */
import type { Spool, SpooledFile } from '../inputs/spool.ts'
import { badRequest } from '../lib/errors.ts'
import type { BodyShare } from './body-budget.ts'
import type { PartHeaders } from './part-headers.ts'
import { brokenBase64, imageTooLarge } from './picture-refusals.ts'
import { sizeInWords } from './size-in-words.ts'
import { ImageTooLargeError, SpooledBase64 } from './spooled-base64.ts'
import type { Uploads } from './uploads.ts'

/** A part that is whole: a text, or a file with what its headers say of it. */
export type MultipartPart = { name: string; text: string } | (PartHeaders & { file: SpooledFile })

/** A part on its way. One call after the other. */
export interface PartReceiver {
  /** Throws 400, 413 and `queue_full`. The bytes may be used again once it resolves. */
  take(bytes: Buffer): Promise<void>
  end(): Promise<MultipartPart>
}

/** What the parts of one form share. */
export interface FormReceiving {
  spool: Spool
  maxImageBytes: number
  /** Without the mask, for which there is room beside them. */
  maxImages: number
  uploads: Uploads
  share: BodyShare
  /** Removes what was begun and did not end. */
  unfinished: AsyncDisposableStack
  /** So far. */
  textBytes: number
  files: number
}

const mebibyte = 1024 * 1024
const maxTextBytes = mebibyte
const maxAllTextBytes = 4 * mebibyte

/** Text that PostgreSQL and every client can hold. */
export function receiveText({ name }: PartHeaders, form: FormReceiving): PartReceiver {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  return {
    async take(bytes) {
      sizeBytes += bytes.length
      if (sizeBytes > maxTextBytes)
        throw badRequest(name, `${name} is text of more than ${sizeInWords(maxTextBytes)}.`)
      if (form.textBytes + bytes.length > maxAllTextBytes)
        throw badRequest(null, `The form has more than ${sizeInWords(maxAllTextBytes)} of text.`)
      form.textBytes += bytes.length
      form.share.hold(form.textBytes)
      chunks.push(bytes)
    },
    async end() {
      return { name, text: decodeText(name, Buffer.concat(chunks)) }
    },
  }
}

/** Bytes as they are. Throws where there are too many files. */
export function receiveFile(headers: PartHeaders, form: FormReceiving): PartReceiver {
  countFile(headers, form)
  const writer = form.unfinished.use(form.spool.open())
  return {
    async take(bytes) {
      if (writer.sizeBytes + bytes.length > form.maxImageBytes)
        throw imageTooLarge(headers.name, form.maxImageBytes)
      await writer.write(bytes)
    },
    async end() {
      const file = await writer.finish()
      await form.uploads.add(file)
      return { ...headers, file }
    },
  }
}

/** The digits of a picture in base64, without the head of a data URI. Throws where there are too many files. */
export function receiveBase64(headers: PartHeaders, form: FormReceiving): PartReceiver {
  countFile(headers, form)
  const sink = form.unfinished.use(
    new SpooledBase64(form.spool, form.maxImageBytes, (file) => form.uploads.add(file)),
  )
  sink.begin()
  const decode = async (step: () => boolean) => {
    try {
      if (!step()) throw brokenBase64(headers.name)
    } catch (error) {
      throw error instanceof ImageTooLargeError ? imageTooLarge(headers.name, form.maxImageBytes) : error
    }
    await sink.flush()
  }
  return {
    take: (bytes) => decode(() => sink.write(bytes.toString('latin1'))),
    async end() {
      await decode(() => sink.finish())
      const [file] = sink.values()
      if (!file) throw new Error('base64 that came to its end is no file')
      return { ...headers, file }
    },
  }
}

function countFile({ name }: PartHeaders, form: FormReceiving): void {
  if (form.files > form.maxImages) {
    throw badRequest(
      name,
      `${name} is one file too many: a request takes at most ${form.maxImages} images and one mask.`,
    )
  }
  form.files += 1
}

function decodeText(name: string, bytes: Buffer): string {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw badRequest(name, `${name} is not valid UTF-8.`)
  }
  if (text.includes('\0')) throw badRequest(name, `${name} holds a NUL character, which is not allowed.`)
  return text
}
