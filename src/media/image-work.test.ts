import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { encodeImage } from './encode-image.ts'
import { createImageWork } from './image-work.ts'

describe('image work', () => {
  test('runs at most as many jobs at once as allowed, in the order they came', async () => {
    const work = createImageWork({ concurrency: 2 })
    const started: number[] = []
    let running = 0
    let most = 0
    const jobs = Array.from({ length: 9 }, (_, i) =>
      work.run(async () => {
        started.push(i)
        running += 1
        most = Math.max(most, running)
        await sleep(i % 3)
        running -= 1
        return i
      }),
    )
    expect(await Promise.all(jobs)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    expect(started).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    expect(most).toBe(2)
  })

  test('a job that fails gives its place to the next', async () => {
    const work = createImageWork({ concurrency: 1 })
    const failing = () => {
      throw new Error('broken picture')
    }
    await expect(work.run(failing)).rejects.toThrow('broken picture')
    expect(await work.run(async () => 'next')).toBe('next')
  })

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
})
