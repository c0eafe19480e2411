import sharp from 'sharp'
import { beforeAll, expect, test } from 'vitest'
import { type Artwork, loadArtwork, prefixIds } from './artwork.ts'
import { SYNONYMS } from './synonyms.ts'

let artwork: Artwork
beforeAll(async () => {
  artwork = await loadArtwork()
})

test('every piece that a synonym names exists', () => {
  expect(Object.keys(SYNONYMS).filter((name) => !artwork.has(name))).toEqual([])
})

test('no piece keeps a colour that cannot be changed', () => {
  const named = /(?:fill|stroke|stop-color)="(?!#|none"|url\()[^"]*"/
  expect([...artwork.names()].filter((name) => named.test(artwork.icon(name)?.body ?? ''))).toEqual([])
})

test('prefixed ids and what refers to them change together', () => {
  const body = '<linearGradient id="a"/><path fill="url(#a)"/><use href="#a"/>'
  expect(prefixIds(body, 'p1-')).toBe(
    '<linearGradient id="p1-a"/><path fill="url(#p1-a)"/><use href="#p1-a"/>',
  )
})

test('a fox has a body below its head, and a piece of our own can be drawn', async () => {
  expect(artwork.icon('fox')?.bounds.bottom).toBeGreaterThan(180)
  const balloon = artwork.icon('hot-air-balloon')
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="80" viewBox="0 0 128 160">${balloon?.body}</svg>`
  expect((await sharp(Buffer.from(svg)).stats()).isOpaque).toBe(false)
})
