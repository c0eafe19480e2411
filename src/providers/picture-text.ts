/**
 * An input picture as text inside a JSON body: as a data URI, or as bare base64. It stands for the text and is written
 * out while the body is sent, so that ten large pictures at once never lie in memory as text.
 */
import type { Readable } from 'node:stream'

/** What is needed of an input picture. */
export interface SentPicture {
  readonly mediaType: string
  readonly sizeBytes: number
  stream(): Readable
}

export class PictureText {
  readonly image: SentPicture
  /** What stands before the base64. */
  readonly prefix: string

  constructor(image: SentPicture, prefix: string) {
    this.image = image
    this.prefix = prefix
  }

  /** The length of the text in bytes. */
  get sizeBytes(): number {
    return this.prefix.length + 4 * Math.ceil(this.image.sizeBytes / 3)
  }
}

/** `data:image/png;base64,…`. */
export function asDataUri(image: SentPicture): PictureText {
  return new PictureText(image, `data:${image.mediaType};base64,`)
}

/** Base64 alone. */
export function asBase64(image: SentPicture): PictureText {
  return new PictureText(image, '')
}
