/**
 * Input pictures for tests of providers: real ones of every kind, with a count of the streams that were opened
 * and not yet closed.
 */
import { Readable } from 'node:stream'
import sharp from 'sharp'
import type { InputImage, InputMediaType } from '../provider.ts'

export interface SampleInputs {
  /** A landscape of 96x64; the same bytes at each call. */
  picture(mediaType: InputMediaType): InputImage
  /** A PNG of the same size; its left half may change. */
  mask(): InputImage
  /** Streams of these pictures that are still open. */
  openStreams(): number
}

const size = { width: 96, height: 64 }
let drawn: Promise<Map<InputMediaType | 'mask', Buffer>> | undefined

/** Draws them once per process. */
export async function openSampleInputs(): Promise<SampleInputs> {
  drawn ??= draw()
  const files = await drawn
  let open = 0
  const input = (bytes: Buffer, mediaType: InputMediaType): InputImage => ({
    mediaType,
    ...size,
    sizeBytes: bytes.length,
    read: async () => bytes,
    stream() {
      open += 1
      return Readable.from([bytes], { objectMode: false }).on('close', () => (open -= 1))
    },
  })
  const named = (name: InputMediaType | 'mask') => files.get(name) ?? Buffer.alloc(0)
  return {
    picture: (mediaType) => input(named(mediaType), mediaType),
    mask: () => input(named('mask'), 'image/png'),
    openStreams: () => open,
  }
}

async function draw(): Promise<Map<InputMediaType | 'mask', Buffer>> {
  const picture = sharp({ create: { ...size, channels: 3, background: { r: 200, g: 40, b: 30 } } })
  const left = { width: size.width / 2, height: size.height, channels: 4 as const, background: 'white' }
  const mask = sharp({ create: { ...size, channels: 4, background: 'black' } }).composite([
    { input: { create: left }, left: 0, top: 0, blend: 'dest-out' },
  ])
  return new Map([
    ['image/png', await picture.clone().png().toBuffer()],
    ['image/jpeg', await picture.clone().jpeg().toBuffer()],
    ['image/webp', await picture.clone().webp().toBuffer()],
    ['image/gif', await picture.clone().gif().toBuffer()],
    ['image/avif', await picture.clone().avif({ effort: 0 }).toBuffer()],
    ['mask', await mask.png().toBuffer()],
  ])
}
