import { beforeAll, describe, expect, test } from 'vitest'
import { type Artwork, loadArtwork } from './artwork.ts'
import type { Icon } from './icon.ts'
import { arrange } from './layout.ts'
import { createRandom } from './random.ts'
import type { Subject } from './read-prompt.ts'
import type { Backdrop } from './stage.ts'

let artwork: Artwork
beforeAll(async () => {
  artwork = await loadArtwork()
})

const backdrop: Backdrop = {
  behind: '',
  front: '',
  ground: { near: 920, far: 780 },
  sky: { top: 60, bottom: 480 },
  shadow: '#000000',
}

function place(subjects: readonly Partial<Subject>[], seed: number, sheet = { width: 1000, height: 1000 }) {
  const whole = subjects.map((subject) => ({ icon: 'fox', count: 1, size: 1, ...subject }))
  const icons = whole.map(({ icon }) => artwork.icon(icon) as Icon)
  return arrange(whole, icons, sheet, backdrop, createRandom(seed, 'test'))
}

describe('where pieces stand', () => {
  test('walkers stand on the ground and flyers are above them', () => {
    for (let seed = 0; seed < 20; seed++) {
      const items = place([{ icon: 'fox' }, { icon: 'balloon', count: 3 }], seed)
      for (const item of items) {
        if (item.icon.name === 'fox') expect(item.y).toBeGreaterThan(760)
        else expect(item.y).toBeLessThan(500)
      }
    }
  })

  test('a rider is drawn before its mount and above its feet', () => {
    const items = place([{ icon: 'cat', relation: { kind: 'riding', of: 1 } }, { icon: 'horse' }], 3)
    expect(items.map(({ icon }) => icon.name)).toEqual(['cat', 'horse'])
    expect(items[0]?.y).toBeLessThan((items[1]?.y ?? 0) - 50)
  })

  test('riders ride in a chain', () => {
    const chain = [
      { icon: 'mouse', relation: { kind: 'riding' as const, of: 1 } },
      { icon: 'cat', relation: { kind: 'riding' as const, of: 2 } },
      { icon: 'horse' },
    ]
    const items = place(chain, 3)
    expect(items.map(({ icon }) => icon.name)).toEqual(['mouse', 'cat', 'horse'])
  })

  test('"left of" and "right of" hold for every seed', () => {
    for (let seed = 0; seed < 20; seed++) {
      const [cat, dog] = ['cat', 'dog'].map((name) => {
        return place([{ icon: 'cat', relation: { kind: 'left', of: 1 } }, { icon: 'dog' }], seed).find(
          ({ icon }) => icon.name === name,
        )
      })
      expect(cat?.x).toBeLessThan(dog?.x ?? 0)
    }
  })

  test.each([
    [1, 1000, 1000],
    [24, 1000, 1000],
    [24, 8000, 1000],
    [12, 1000, 8000],
  ])('%i foxes stay on a sheet of %i x %i', (count, width, height) => {
    const tall = { ...backdrop, ground: { near: height * 0.92, far: height * 0.78 } }
    const icon = artwork.icon('fox') as Icon
    const items = arrange(
      [{ icon: 'fox', count, size: 1 }],
      [icon],
      { width, height },
      tall,
      createRandom(5, 'test'),
    )
    expect(items).toHaveLength(count)
    for (const item of items) {
      expect(item.x).toBeGreaterThan(0)
      expect(item.x).toBeLessThan(width)
    }
  })
})
