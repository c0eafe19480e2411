import { beforeAll, describe, expect, test } from 'vitest'
import { loadArtwork } from './artwork.ts'
import { readPrompt } from './read-prompt.ts'
import { createVocabulary, type Vocabulary } from './vocabulary.ts'

let vocabulary: Vocabulary
beforeAll(async () => {
  vocabulary = createVocabulary(await loadArtwork())
})

/** "3 fox" for three foxes, in the order they are named. */
const subjectsOf = (prompt: string, negative?: string) =>
  readPrompt(prompt, vocabulary, negative).subjects.map(({ count, icon }) => `${count} ${icon}`)

describe('subjects', () => {
  test.each([
    ['a fox', ['1 fox']],
    ['three foxes', ['3 fox']],
    ['3 mice and 2 geese', ['3 mouse', '2 goose']],
    ['two kittens, a puppy and a bunny', ['2 cat', '1 dog', '1 rabbit']],
    ['children with wolves', ['3 child', '3 wolf']],
    ['a dozen leaves', ['12 fallen-leaf']],
    ['two dozen sheep', ['24 ewe']],
    ['a couple of ships', ['2 ship']],
    ['several butterflies', ['5 butterfly']],
    ['a hot air balloon', ['1 hot-air-balloon']],
    ['a polar bear and a teddy bear', ['1 polar-bear', '1 teddy-bear']],
    ['a snow leopard', ['1 leopard']],
    ['a cup of coffee and a croissant', ['1 hot-beverage', '1 croissant']],
    ['AN AUTOMOBILE', ['1 automobile']],
    ['999 cats', ['24 cat']],
    ['100 cats', ['24 cat']],
    ['a 🦊 and 🐙', ['1 fox', '1 octopus']],
    ['👩‍🚀 on a boat', ['1 woman-astronaut', '1 sailboat']],
    ['an orange', ['1 tangerine']],
    ['an orange fox', ['1 fox']],
    ['a rose', ['1 rose']],
    ['a rose dress', ['1 dress']],
    ['asdf qwerty', []],
    ['constructor __proto__ toString hasOwnProperty', []],
  ])('%s', (prompt, expected) => {
    expect(subjectsOf(prompt)).toEqual(expected)
  })

  test('colour, size and manner belong to the noun that follows', () => {
    const { subjects } = readPrompt('a tiny neon orange fox and a giant blue whale', vocabulary)
    expect(subjects).toMatchObject([
      { icon: 'fox', size: 0.5, tint: { manner: 'neon', hex: '#f57c1f' } },
      { icon: 'whale', size: 1.65, tint: { hex: '#2f6fe4' } },
    ])
  })

  test('colourful things each take their own colour', () => {
    expect(readPrompt('five colorful balloons', vocabulary).subjects).toMatchObject([
      { count: 5, tint: { many: true } },
    ])
  })

  test.each([
    ['an astronaut riding a whale', 'riding'],
    ['a dragon above a castle', 'above'],
    ['a cat to the left of a dog', 'left'],
    ['a cat on top of a dog', 'riding'],
    ['a fox behind a tree', 'behind'],
  ])('%s', (prompt, kind) => {
    expect(readPrompt(prompt, vocabulary).subjects[0]?.relation).toEqual({ kind, of: 1 })
  })

  test('a negative prompt and "without" take subjects away and keep relations right', () => {
    expect(subjectsOf('a fox, a cat and a dog', 'cat')).toEqual(['1 fox', '1 dog'])
    expect(subjectsOf('a fox without cats and dogs')).toEqual(['1 fox'])
    const { subjects } = readPrompt('a bird, a fox riding a horse', vocabulary, 'birds')
    expect(subjects[0]).toMatchObject({ icon: 'fox', relation: { kind: 'riding', of: 1 } })
    expect(readPrompt('a fox riding a horse', vocabulary, 'horse').subjects[0]).not.toHaveProperty('relation')
  })
})

describe('scenes', () => {
  test.each([
    ['a misty forest at night', { place: 'forest', time: 'night', weather: ['mist'] }],
    ['a snowy forest', { place: 'forest', weather: ['snow'] }],
    ['on a beach at sunset', { place: 'beach', time: 'sunset' }],
    ['under the sea', { place: 'underwater' }],
    ['a city street in the rain', { place: 'city', weather: ['rain'] }],
    ['in space', { place: 'space' }],
    ['mountains at dawn', { place: 'mountains', time: 'sunrise' }],
    ['northern lights over the arctic', { place: 'meadow', time: 'night' }],
    ['watercolor of a garden', { place: 'meadow', styles: ['watercolor'], features: ['flowers'] }],
    ['black and white photo of a desert', { place: 'desert', styles: ['monochrome'] }],
    ['a field, no clouds', { place: 'meadow', without: ['clouds'] }],
    ['a pink sky over the sea', { place: 'sea', skyColour: '#ff7fb8' }],
    ['a robot on a yellow background', { backdropColour: '#fcd428' }],
  ])('%s', (prompt, expected) => {
    const { weather, features, styles, without, ...rest } = readPrompt(prompt, vocabulary)
    const lists = {
      weather: [...weather],
      features: [...features],
      styles: [...styles],
      without: [...without],
    }
    for (const [key, value] of Object.entries(expected)) {
      const found = { ...rest, ...lists }[key as keyof typeof lists]
      if (Array.isArray(value)) expect(found).toEqual(expect.arrayContaining(value))
      else expect(found).toEqual(value)
    }
  })
})

describe('hostile prompts', () => {
  test.each([
    'a ',
    'and ',
    '1x',
    '(((',
    '-',
    'fox ',
    'no ',
    'in the ',
    '🦊',
    '👨‍👩‍👧',
    '‍',
    'left of ',
    'without trees and ',
  ])('32,000 characters of %j are read in bounded work', (unit) => {
    const text = unit.repeat(Math.ceil(32_000 / unit.length)).slice(0, 32_000)
    const looked = { times: 0 }
    const counting: Vocabulary = {
      find: (words) => {
        looked.times++
        return vocabulary.find(words)
      },
      emoji: vocabulary.emoji,
    }
    const { subjects } = readPrompt(text, counting, text)
    expect(subjects.length).toBeLessThanOrEqual(10)
    // Two texts of at most 2,000 words, each looked at a fixed number of times.
    expect(looked.times).toBeLessThan(2 * 2_000 * 24)
  })
})
