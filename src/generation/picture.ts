/** A picture in hand, on its way from the provider to where it is kept. */
import type { ImageInfo } from '../media/inspect-image.ts'

export interface Picture {
  bytes: Buffer
  /** What its own bytes say it is. */
  info: ImageInfo
  /** The size in which the provider drew it: what its price is about. */
  drawn: { width: number; height: number }
  /** Which of the pictures asked for it is, from 0: where one failed, its place stays empty. */
  place: number
  seed?: number
  revisedPrompt?: string
}
