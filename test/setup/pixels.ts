/** What a picture shows, whatever its file says beside it: every file carries the id of the task that made it. */
import { createHash } from 'node:crypto'
import sharp from 'sharp'

/** A digest of the decoded pixels. */
export async function pixelsOf(bytes: Buffer): Promise<string> {
  const { data, info } = await sharp(bytes).ensureAlpha().raw().toBuffer({ resolveWithObject: true })
  return createHash('sha256').update(`${info.width}x${info.height}`).update(data).digest('hex')
}
