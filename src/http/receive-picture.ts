/**
 * A part that stands where a picture belongs and does not say that it is a file: its bytes, or a text that names or
 * holds it (an address, an id, base64, a data URI). The beginning tells, so that a picture of any size goes to the
 * spool while it arrives.
 */
import { dataUriHeadLength, isDataUri } from './data-uri.ts'
import type { PartHeaders } from './part-headers.ts'
import {
  type FormReceiving,
  type PartReceiver,
  receiveBase64,
  receiveFile,
  receiveText,
} from './receive-part.ts'

/** What is shorter and readable stays text, for the routes to judge as they judge a text of JSON. */
const judgeAtBytes = 16 * 1024

/** No picture has as many bytes without one of these. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: pictures have them, and texts do not.
const binary = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/
const foreignToBase64 = /[^A-Za-z0-9+/_=\-\r\n\t ]/

/** Takes the part as whatever it turns out to be. */
export function receivePicture(headers: PartHeaders, form: FormReceiving): PartReceiver {
  let waiting: Buffer[] = []
  let waitingBytes = 0
  let receiver: PartReceiver | undefined

  const settle = async (): Promise<PartReceiver> => {
    const bytes = Buffer.concat(waiting)
    waiting = []
    const { kind, from } = judge(bytes)
    const chosen = kind(headers, form)
    if (bytes.length > from) await chosen.take(bytes.subarray(from))
    return chosen
  }
  return {
    async take(bytes) {
      if (receiver) return receiver.take(bytes)
      waiting.push(bytes)
      waitingBytes += bytes.length
      if (waitingBytes >= judgeAtBytes) receiver = await settle()
    },
    async end() {
      receiver ??= await settle()
      return receiver.end()
    },
  }
}

/** What the part is by its beginning, however it was cut, and where its content starts. */
function judge(bytes: Buffer): { kind: typeof receiveFile; from: number } {
  const beginning = bytes.subarray(0, judgeAtBytes)
  if (!isReadable(beginning)) return { kind: receiveFile, from: 0 }
  if (beginning.length < judgeAtBytes) return { kind: receiveText, from: 0 }
  const text = beginning.toString('latin1')
  if (isDataUri(text)) {
    const head = dataUriHeadLength(text)
    return head === undefined ? { kind: receiveText, from: 0 } : { kind: receiveBase64, from: head }
  }
  return { kind: foreignToBase64.test(text) ? receiveText : receiveBase64, from: 0 }
}

/** A character may be cut at the end. */
function isReadable(bytes: Buffer): boolean {
  try {
    return !binary.test(new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true }))
  } catch {
    return false
  }
}
