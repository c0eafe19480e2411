import { describe, expect, test } from 'vitest'
import type { ProviderRequest } from '../provider.ts'
import { bytesOf, draw, plain, provider, start } from './testing/draw.ts'

const distinct = (bytes: readonly Buffer[]) => new Set(bytes.map((one) => one.toString('base64'))).size

describe('a series', () => {
  test('is four different pictures with one seed, the same ones each time', async () => {
    const first = await start('a fox in a forest', { series: {}, seed: 42 })
    expect(first.map(({ seed }) => seed)).toEqual([42, 42, 42, 42])
    expect(distinct(first.map(bytesOf))).toBe(4)
    expect(await start('a fox in a forest', { series: {}, seed: 42 })).toEqual(first)
    expect(await start('a fox in a forest', { series: {}, seed: 43 })).not.toEqual(first)
  })

  test('tells the day from morning to night with the very picture that each hour has by itself', async () => {
    const images = await start('a fox in a forest', { series: { maxImages: 4 } })
    const hours = ['at dawn', 'at noon', 'at sunset', 'at night']
    for (const [at, hour] of hours.entries()) {
      expect(bytesOf(images[at]).equals(await draw(`a fox in a forest ${hour}`)), hour).toBe(true)
    }
  })

  test('without a seed chooses one for all', async () => {
    const images = await start('a fox', { series: { maxImages: 2 }, seed: undefined })
    expect(new Set(images.map(({ seed }) => seed)).size).toBe(1)
    expect(await start('a fox', { series: { maxImages: 2 }, seed: images[0]?.seed })).toEqual(images)
  })

  test.each<[string, Partial<ProviderRequest>]>([
    ['a fox in a forest', {}],
    ['a lighthouse at night', {}],
    ['a snowy night in the mountains', {}],
    ['a cup of tea', {}],
    ['a cat in a cozy room', {}],
    ['asdf qwx', {}],
    ['an astronaut in space', {}],
    ['a camel in the desert', { negativePrompt: 'clouds, snow, rain, leaves' }],
    ['a fox', { background: 'transparent' }],
    ['a fox', { guidance: 20 }],
    ['pixel art of a fox', {}],
  ])('of fifteen pictures of %j %j has no two alike', async (prompt, more) => {
    const size = { width: 128, height: 128 }
    const images = await start(prompt, { series: { maxImages: 15 }, size, ...more })
    expect(distinct(images.map(bytesOf))).toBe(15)
  })

  test('of an edit changes the hour and the weather over the same picture, read once', async () => {
    const image = await plain('#6a8fb0')
    const images = await start('a fox', { series: { maxImages: 15 }, images: [image] })
    expect(distinct(images.map(bytesOf))).toBe(15)
    expect(image.reads).toBe(1)
  })

  test('of one picture is one picture', async () => {
    expect(await start('a fox', { series: { maxImages: 1 } })).toHaveLength(1)
  })

  test('stops when the caller gives up', async () => {
    const request = { taskId: 'a', model: 'gesso-collage', n: 1, prompt: 'a fox', series: { maxImages: 15 } }
    await expect(provider.start(request, AbortSignal.abort())).rejects.toMatchObject({ dispatched: 'no' })
  })
})
