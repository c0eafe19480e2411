/** A JSON body; pictures in it are encoded while it is sent. */
import { randomBytes } from 'node:crypto'
import { PictureText } from './picture-text.ts'
import { type ReadFile, type StreamedBody, streamBody } from './streamed-body.ts'

const contentType = 'application/json'

/** The JSON of a value: a string where it holds no `PictureText`, else a body that is written while it is sent. */
export function encodeJson(value: unknown): string | StreamedBody {
  const pictures: PictureText[] = []
  // Unguessable, so that no prompt can hold it.
  const mark = `gesso-${randomBytes(16).toString('hex')}`
  const text = JSON.stringify(value, (_name, leaf) => {
    if (!(leaf instanceof PictureText)) return leaf
    pictures.push(leaf)
    return mark
  })
  if (pictures.length === 0) return text
  const parts = text.split(mark).map((part) => Buffer.from(part))
  const sizeBytes =
    parts.reduce((sum, part) => sum + part.length, 0) + pictures.reduce((sum, one) => sum + one.sizeBytes, 0)
  return streamBody({ contentType, sizeBytes }, async function* (read) {
    for (const [index, picture] of pictures.entries()) {
      yield* pictureText(picture, parts[index] ?? Buffer.alloc(0), read)
    }
    yield parts.at(-1) ?? Buffer.alloc(0)
  })
}

/** What stands before the picture goes out together with its first bytes, and not before they are there. */
async function* pictureText(
  { image, prefix }: PictureText,
  before: Buffer,
  read: ReadFile,
): AsyncGenerator<Buffer> {
  let opening = `${before.toString()}${prefix}`
  let rest: Buffer<ArrayBufferLike> = Buffer.alloc(0)
  for await (const chunk of read({
    name: 'image',
    sizeBytes: image.sizeBytes,
    stream: () => image.stream(),
  })) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
    // Three bytes are four letters; what is left over waits for the next chunk.
    const whole = bytes.length - (bytes.length % 3)
    rest = bytes.subarray(whole)
    if (whole > 0) yield Buffer.from(opening + bytes.toString('base64', 0, whole))
    if (whole > 0) opening = ''
  }
  if (opening || rest.length > 0) yield Buffer.from(opening + rest.toString('base64'))
}
