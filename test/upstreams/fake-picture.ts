/** Real pictures for fake vendors: every format, any size; plain ones are made once per process. */
import sharp, { type Sharp } from 'sharp'

export interface FakePicture {
  width: number
  height: number
  format: 'png' | 'jpeg' | 'webp'
  /** Picture k of a call has another colour than its neighbours. */
  index: number
  /** Noise does not compress: a 1024x1024 PNG then weighs about 3 MB, like a real one. */
  noisy?: boolean
}

const made = new Map<string, Promise<Buffer>>()

/** The encoded picture. The buffer is shared: read only. */
export function fakePicture(picture: FakePicture): Promise<Buffer> {
  const key = JSON.stringify(picture)
  const known = made.get(key) ?? draw(picture)
  made.set(key, known)
  return known
}

/** The picture that an edit makes of its input: the input fills it, in a frame of the colour of picture k. */
export async function fakeEdit(input: Buffer, picture: FakePicture): Promise<Buffer> {
  const { width, height, format } = picture
  const frame = Math.max(1, Math.round(Math.min(width, height) / 16))
  const inside = { width: Math.max(1, width - 2 * frame), height: Math.max(1, height - 2 * frame) }
  const filling = await sharp(input)
    .resize({ ...inside, fit: 'fill' })
    .png()
    .toBuffer()
  const background = await fakePicture({ ...picture, format: 'png' })
  return encode(sharp(background).composite([{ input: filling }]), format)
}

function draw({ width, height, format, index, noisy }: FakePicture): Promise<Buffer> {
  const background = { r: (60 + index * 47) % 256, g: (120 + index * 89) % 256, b: (200 + index * 31) % 256 }
  const noise = noisy ? { type: 'gaussian' as const, mean: 128, sigma: 60 } : undefined
  return encode(sharp({ create: { width, height, channels: 3, background, noise } }), format)
}

function encode(picture: Sharp, format: FakePicture['format']): Promise<Buffer> {
  return picture.toFormat(format, format === 'png' ? { compressionLevel: 1 } : {}).toBuffer()
}
