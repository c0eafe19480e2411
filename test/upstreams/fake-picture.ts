/** Real pictures for fake vendors: plain colour, every format, any size, each made once per process. */
import sharp from 'sharp'

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

function draw({ width, height, format, index, noisy }: FakePicture): Promise<Buffer> {
  const background = { r: (60 + index * 47) % 256, g: (120 + index * 89) % 256, b: (200 + index * 31) % 256 }
  const noise = noisy ? { type: 'gaussian' as const, mean: 128, sigma: 60 } : undefined
  return sharp({ create: { width, height, channels: 3, background, noise } })
    .toFormat(format, format === 'png' ? { compressionLevel: 1 } : {})
    .toBuffer()
}
