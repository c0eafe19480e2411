/** What is said to the sender of a picture that cannot be taken in while its body arrives, in a form and in JSON alike. */
import { badRequest, GessoError } from '../lib/errors.ts'
import { sizeInWords } from './size-in-words.ts'

/** A 413 that names the field, where it is known. */
export function imageTooLarge(field: string | null, maxImageBytes: number): GessoError {
  return new GessoError({
    code: 'request_too_large',
    attribution: 'client',
    message: `${field ?? 'A value'} is larger than the ${sizeInWords(maxImageBytes)} that one image may have.`,
    param: field,
  })
}

/** A 400 for a long text that began as base64 and went on as something else. */
export function brokenBase64(field: string | null): GessoError {
  return badRequest(
    field,
    `${field ?? 'A value'} begins as base64, but is not base64 to its end; send the whole picture as base64 or as a data URI, or an https URL.`,
  )
}
