import { describe, expect, test } from 'vitest'
import { countCharacters } from '../lib/count-characters.ts'
import { createRuleOptimizer } from './rule-optimizer.ts'

async function optimize(prompt: string, asked: { isEdit?: boolean; maxCharacters?: number } = {}) {
  const { isEdit = false, maxCharacters = 32_000 } = asked
  const signal = new AbortController().signal
  const result = await createRuleOptimizer().optimize(prompt, { isEdit, maxCharacters, signal })
  if (!('prompt' in result)) throw new Error(result.failure)
  expect(result.prompt).toMatchObject({ original: prompt, model: 'gesso-optimizer' })
  expect(result.prompt.optimized.startsWith(prompt)).toBe(true)
  return result.prompt.optimized.slice(prompt.length)
}

describe('a short prompt', () => {
  test('gets what it lacks, behind its own words', async () => {
    expect(await optimize('a cat')).toBe(
      ', clear composition, nuanced light, fine detail, natural photographic look',
    )
  })

  test('gets the same words every time', async () => {
    expect(await optimize('a red fox')).toBe(await optimize('a red fox'))
  })

  test.each([
    ['a cat.', / Clear composition, .*look\.$/],
    ['"Cat!"', /^ Clear/],
    ['a cat,', /^ clear/],
    ['a cat, ', /^clear/],
    ['a cat ', /^, clear/],
    ['a cat\n', /^Clear/],
  ])('%j is continued in its own manner', async (prompt, expected) => {
    expect(await optimize(prompt)).toMatch(expected)
  })

  test.each<[string, RegExp]>([
    ['a lake at night', /night-time light/],
    ['a lake at sunset', /evening light/],
    ['a turtle underwater', /filtered by the water/],
    ['oil painting of a lake', /brushwork/],
    ['watercolour of a lake', /delicate washes/],
    ['a photo of a lake', /photographic depth/],
    ['a dragon above a lake', /imaginative illustration/],
  ])('%j is answered in its own vein', async (prompt, expected) => {
    expect(await optimize(prompt)).toMatch(expected)
  })
})

describe('nothing that was said is contradicted', () => {
  const photo = /photo|realis/i
  const daylight = /day|sun|early|evening|bright/i
  const light = /light/i
  const detail = /detail/i
  const composition = /composition/i
  test.each<[string, RegExp]>([
    ['oil painting of a man', photo],
    ['a man, oil on canvas', photo],
    ['an OIL-PAINTING of a man', photo],
    ['a watercolor cat', photo],
    ['a pencil sketch of a hand', photo],
    ['anime girl with a sword', photo],
    ['pixel art of a castle', photo],
    ['a cartoon mouse', photo],
    ['a 3d render of a chair', photo],
    ['a low-poly tree', photo],
    ['a cat in the style of Van Gogh', photo],
    ['a surreal staircase', photo],
    ['a LEGO city', photo],
    ['a logo for a bakery', photo],
    ['three blue circles', photo],
    ['a birthday card', photo],
    ['a stained-glass window', photo],
    ['not a photo: a cat', photo],
    ['a dragon, not realistic', photo],
    ['a dragon without wings', photo],
    ['un chat sur un toit', photo],
    ['ein gemaltes Bild', photo],
    ['a street at night', daylight],
    ['midnight in the forest', daylight],
    ['a starry sky', daylight],
    ['a room in the dark', light],
    ['a moonlit bay', light],
    ['a city, neon signs', light],
    ['split picture of day and night', light],
    ['a lake from sunrise to sunset', light],
    ['a sign that says "night"', light],
    ['a street, not at night', light],
    ['a flat vector illustration', light],
    ['a simple chair', detail],
    ['a blurry memory', detail],
    ['abstract shapes', detail],
    ['a hut in the mist', detail],
    ['a close-up of a bee', composition],
    ['a chaotic market', composition],
    ['an aerial view of a port', composition],
    ['portrait of an old man', composition],
  ])('%j', async (prompt, contradiction) => {
    expect(await optimize(prompt)).not.toMatch(contradiction)
  })
})

describe('a prompt stays as it is', () => {
  test.each([
    ['of more than 60 words', `${'red '.repeat(60)}cat`],
    ['of more than 1,000 characters', `a ${'very'.repeat(250)} long cat`],
    ['in Chinese', '一只猫在月光下'],
    ['in Russian', 'кот на крыше'],
    ['in Arabic', 'قطة على السطح'],
    ['in two scripts', 'a tattoo of 龍'],
    ['in German', 'eine Katze auf dem Dach'],
    ['in Spanish', 'un gato en el tejado'],
    ['in French', 'une nuit étoilée'],
    ['of no words', '🐈🐈'],
    ['of nothing', ''],
    ['that asks for nothing else', 'exactly one red ball, nothing else'],
    ['with a quotation left open', 'a sign that says "OPEN'],
    ['with a curly quotation left open', 'a sign that says “OPEN'],
    ['with a single quotation left open', "a sign that says 'OPEN"],
    ['with a bracket left open', 'a cat (black'],
    ['with flags of another tool', 'a cat --ar 16:9'],
    ['that is JSON', '{"subject": "cat"}'],
    ['that waits for more', 'a poster that says:'],
    ['that breaks off', 'a cat and a'],
    ['that has said everything', 'wide shot of a lake, golden hour, intricate detail, 35mm film'],
  ])('%s', async (_, prompt) => {
    expect(await optimize(prompt)).toBe('')
  })

  test('where the words would exceed the limit, to the character', async () => {
    const whole = countCharacters(`a cat${await optimize('a cat')}`)
    expect(await optimize('a cat', { maxCharacters: whole })).not.toBe('')
    expect(await optimize('a cat', { maxCharacters: whole - 1 })).toBe('')
    expect(await optimize('a cat', { maxCharacters: 1 })).toBe('')
  })
})

describe('an edit', () => {
  test.each([
    ['make the hat red', ', keep everything else as it is'],
    ['Remove the car.', ' Keep everything else as it is.'],
  ])('%j is held to its place', async (prompt, added) => {
    expect(await optimize(prompt, { isEdit: true })).toBe(added)
  })

  test.each([
    'make the hat red, keep the rest',
    'turn it into a watercolor',
    'make the whole picture brighter',
    'everything in blue',
    'only change the hat',
    'mache den Hut rot und gelb',
    '帽子を赤にする',
  ])('%j stays as it is', async (prompt) => {
    expect(await optimize(prompt, { isEdit: true })).toBe('')
  })
})

test.each([
  'a ',
  'and ',
  '1x',
  '(((',
  '-',
  '"',
  "'",
  ' ',
  '\n',
  'é',
  '🐈',
  'aA',
  'night ',
  '“',
  '--',
  '\ud800',
  '.',
])('no 32,000 characters of %j keep anybody waiting', async (piece) => {
  const optimizer = createRuleOptimizer()
  const asked = { isEdit: false, maxCharacters: 40_000, signal: new AbortController().signal }
  const times: number[] = []
  // The best of three: the machine has other things to do.
  for (let round = 0; round < 3; round++) {
    const startedAt = performance.now()
    for (const length of [1_000, 32_000]) {
      const prompt = piece.repeat(length).slice(0, length)
      await optimizer.optimize(prompt, asked)
      await optimizer.optimize(prompt, { ...asked, isEdit: true })
    }
    times.push(performance.now() - startedAt)
  }
  expect(Math.min(...times)).toBeLessThan(100)
})
