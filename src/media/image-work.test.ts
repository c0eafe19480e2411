import { readFile } from 'node:fs/promises'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { encodeImage } from './encode-image.ts'

test('twelve encodes at once leave the thread pool free for files', async () => {
  const picture = await sharp({ create: { width: 700, height: 700, channels: 3, background: 'teal' } })
    .png()
    .toBuffer()
  let encoded = 0
  const encodes = Array.from({ length: 12 }, async () => {
    await encodeImage(picture, { format: 'avif' })
    encoded += 1
  })
  await readFile(import.meta.filename)
  expect(encoded).toBeLessThan(6)
  await Promise.all(encodes)
})
