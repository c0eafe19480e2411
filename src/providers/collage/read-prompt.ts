/**
 * Reads a prompt into a scene description: who is in it, how many, in what colour, where, when, and in what
 * manner.
 *
 * One pass over the words, each looked at with at most three that follow, so the time is linear in the
 * prompt whatever it holds. It understands little grammar and never fails: what it does not know, it skips.
 */
import { COLOUR_WORDS, MANY_COLOURS } from './colour-words.ts'
import type { Time, Weather } from './light.ts'
import { ELEMENTS, type Place, SCENE_WORDS, type SceneWord, type Style } from './scene-words.ts'
import { tokenise } from './tokenise.ts'
import { LONGEST_NAME, type Vocabulary } from './vocabulary.ts'

/** The colour a subject was asked for in. */
export interface Tint {
  /** `#rrggbb`; absent for `many` and for a bare "neon" or "pastel". */
  hex?: string
  manner?: 'neon' | 'pastel' | 'golden' | 'dark' | 'pale'
  /** Each of the group in its own colour. */
  many?: boolean
}

export type Relation = 'riding' | 'on' | 'above' | 'below' | 'left' | 'right' | 'behind' | 'beside'
export type Spot = 'left' | 'right' | 'sky' | 'back' | 'front' | 'centre'

export interface Subject {
  icon: string
  count: number
  tint?: Tint
  /** 1 is the piece's own size. */
  size: number
  spot?: Spot
  /** Where it is relative to the subject at `of`, an index into the list. */
  relation?: { kind: Relation; of: number }
}

export interface SceneDescription {
  subjects: Subject[]
  place?: Place
  time?: Time
  weather: Set<Weather>
  features: Set<string>
  styles: Set<Style>
  /** Scene elements that must not be drawn, e.g. `trees`. */
  without: Set<string>
  /** Pieces that must not be drawn, by name. */
  unwanted: Set<string>
  skyColour?: string
  /** Is this piece food or a thing? Filled in by whoever knows the artwork. */
  stillLife?: (icon: string) => boolean
  backdropColour?: string
}

/** No group is larger: more pieces would be too small to see. */
const MOST_OF_ONE = 24
const MOST_SUBJECTS = 10
/** A prompt's first words say what it shows; the ten thousandth does not. */
const MOST_WORDS = 2_000

const COUNTS: ReadonlyMap<string, number> = new Map([
  ...'one two three four five six seven eight nine ten eleven twelve'
    .split(' ')
    .map((word, index) => [word, index + 1] as const),
  ...([
    ['a', 1],
    ['an', 1],
    ['single', 1],
    ['pair', 2],
    ['couple', 2],
    ['both', 2],
    ['trio', 3],
    ['few', 3],
    ['some', 3],
    ['several', 5],
    ['group', 5],
    ['many', 8],
    ['lots', 8],
    ['flock', 7],
    ['herd', 6],
    ['pack', 5],
    ['swarm', 9],
    ['school', 8],
    ['bunch', 6],
    ['dozen', 12],
    ['dozens', 16],
    ['hundreds', 24],
    ['countless', 20],
  ] as const),
])
const SIZES: ReadonlyMap<string, number> = new Map([
  ...['tiny', 'miniature', 'mini', 'microscopic', 'teeny'].map((word) => [word, 0.5] as const),
  ...['small', 'little', 'baby', 'wee', 'short'].map((word) => [word, 0.72] as const),
  ...['big', 'large', 'tall', 'fat', 'great'].map((word) => [word, 1.3] as const),
  ...['huge', 'giant', 'gigantic', 'enormous', 'massive', 'colossal', 'towering', 'immense'].map(
    (word) => [word, 1.65] as const,
  ),
])
const RELATIONS: ReadonlyMap<string, Relation> = new Map([
  ...[
    'riding',
    'rides',
    'atop',
    'astride',
    'ride',
    'on top of',
    'riding on',
    'sitting on',
    'standing on',
  ].map((word) => [word, 'riding'] as const),
  ['on', 'on'],
  ...['above', 'over', 'flying over', 'flying above', 'hovering over'].map(
    (word) => [word, 'above'] as const,
  ),
  ...['below', 'under', 'beneath', 'underneath'].map((word) => [word, 'below'] as const),
  ...['left of', 'to the left of', 'on the left of'].map((word) => [word, 'left'] as const),
  ...['right of', 'to the right of', 'on the right of'].map((word) => [word, 'right'] as const),
  ['behind', 'behind'],
  ...['next to', 'beside', 'near', 'by', 'in front of'].map((word) => [word, 'beside'] as const),
])
const SPOTS: ReadonlyMap<string, Spot> = new Map([
  ...['on the left', 'on the left side', 'to the left'].map((word) => [word, 'left'] as const),
  ...['on the right', 'on the right side', 'to the right'].map((word) => [word, 'right'] as const),
  ...['in the sky', 'in the air', 'flying', 'floating'].map((word) => [word, 'sky'] as const),
  ...['in the background', 'in the distance', 'far away'].map((word) => [word, 'back'] as const),
  ...['in the foreground', 'up close', 'close up'].map((word) => [word, 'front'] as const),
  ...['in the middle', 'in the center', 'in the centre'].map((word) => [word, 'centre'] as const),
])
const NEGATIONS = new Set(['without', 'no', 'not', 'minus', 'except'])
const MANNERS: ReadonlyMap<string, Tint['manner']> = new Map([
  ['neon', 'neon'],
  ['glowing', 'neon'],
  ['fluorescent', 'neon'],
  ['luminous', 'neon'],
  ['pastel', 'pastel'],
  ['golden', 'golden'],
  ['gold', 'golden'],
  ['dark', 'dark'],
  ['pale', 'pale'],
  ['light', 'pale'],
])
/** Their plural looks like their singular, so without "a" they are several. */
const UNCOUNTED = new Set(['fish', 'tropical-fish', 'ewe', 'deer', 'shrimp'])
const FUNCTION_WORDS = new Set(
  'and or in on at with by under over next near beside above below from to of against inside'.split(' '),
)
/** The longest phrase in any table above or in the scene words, in words. */
const LONGEST_PHRASE = 5

interface Pending {
  count?: number
  tint?: Tint
  size?: number
  spot?: Spot
  relation?: Relation
}

/** Reads a prompt; `negativePrompt` takes away what it names. */
export function readPrompt(prompt: string, vocabulary: Vocabulary, negativePrompt = ''): SceneDescription {
  const scene: SceneDescription = {
    subjects: [],
    weather: new Set(),
    features: new Set(),
    styles: new Set(),
    without: new Set(),
    unwanted: new Set(),
  }
  const { unwanted } = scene
  const refuse = (words: readonly string[]) => {
    for (const icon of readUnwanted(words, vocabulary, scene.without)) unwanted.add(icon)
  }
  refuse(tokenise(negativePrompt, MOST_WORDS))
  const words = tokenise(prompt, MOST_WORDS)
  let pending: Pending = {}
  for (let at = 0; at < words.length; ) {
    const word = words[at] as string
    if (NEGATIONS.has(word)) {
      const end = negatedUntil(words, at + 1)
      refuse(words.slice(at + 1, end))
      at = end
      continue
    }
    const used = readPhrase(words, at, scene, pending, vocabulary)
    if (used > 0) {
      at += used
      continue
    }
    const named = readPiece(words, at, vocabulary)
    if (named) {
      addSubject(scene, named.icon, named.plural, pending)
      pending = {}
      at += named.length
    } else {
      readModifier(word, words[at + 1], pending)
      at++
    }
  }
  scene.subjects = withoutUnwanted(scene.subjects, unwanted)
  return scene
}

/** Scene words, spots and relations at this place; answers how many words they took. */
function readPhrase(
  words: readonly string[],
  at: number,
  scene: SceneDescription,
  pending: Pending,
  vocabulary: Vocabulary,
): number {
  for (let length = Math.min(LONGEST_PHRASE, words.length - at); length > 0; length--) {
    const phrase = length === 1 ? (words[at] as string) : words.slice(at, at + length).join(' ')
    const spot = SPOTS.get(phrase)
    if (spot) {
      const last = scene.subjects.at(-1)
      if (spot === 'sky' && length === 1) pending.spot = spot
      else if (last) last.spot = spot
      return length
    }
    const relation = RELATIONS.get(phrase)
    if (relation) {
      if (scene.subjects.length > 0) pending.relation = relation
      return length
    }
    // A longer name beats a shorter scene word: "snow leopard", "mountain goat", "beach umbrella".
    const piece = readPiece(words, at, vocabulary)
    if (piece && piece.length > length) return 0
    const said = SCENE_WORDS.get(phrase)
    if (said) {
      addSceneWord(scene, said, pending, phrase)
      return length
    }
    if ((phrase === 'background' || phrase === 'backdrop' || phrase === 'wall') && pending.tint?.hex) {
      scene.backdropColour = pending.tint.hex
      pending.tint = undefined
      return length
    }
  }
  return 0
}

function addSceneWord(scene: SceneDescription, said: SceneWord, pending: Pending, phrase: string): void {
  // The first place named is where the picture is, except that "sky" and "trees" are weak places.
  const weak =
    said.place === 'clouds' ||
    phrase === 'trees' ||
    phrase === 'grass' ||
    phrase === 'landscape' ||
    phrase === 'nature'
  if (phrase === 'sky' && pending.tint?.hex) scene.skyColour = pending.tint.hex
  else if (said.place && (!scene.place || (!weak && scene.place === 'clouds'))) scene.place = said.place
  else if (said.place === 'mountains' || said.place === 'forest') scene.features.add(said.place)
  if (said.time && (!scene.time || phrase.includes('night'))) scene.time = said.time
  if (said.weather) scene.weather.add(said.weather)
  if (said.feature) scene.features.add(said.feature)
  if (said.style) scene.styles.add(said.style)
  if (pending.tint?.manner === 'neon' && said.place === 'city') {
    scene.features.add('neon')
    scene.time ??= 'night'
  }
  pending.tint = undefined
  pending.size = undefined
  pending.count = undefined
  pending.relation = undefined
}

interface Piece {
  icon: string
  plural: boolean
  /** How many words named it. */
  length: number
}

function readPiece(words: readonly string[], at: number, vocabulary: Vocabulary): Piece | undefined {
  for (let length = Math.min(LONGEST_NAME, words.length - at); length > 0; length--) {
    const phrase = words.slice(at, at + length)
    if (length === 1 && isAdjective(words, at)) return undefined
    const emoji = length === 1 ? vocabulary.emoji(phrase[0] as string) : undefined
    const named = emoji === undefined ? vocabulary.find(phrase) : { icon: emoji, plural: false }
    if (named) return { ...named, length, plural: named.plural || UNCOUNTED.has(named.icon) }
  }
  return undefined
}

/** Oranges, roses and plums are things only where no thing follows: "an orange", but "an orange fox". */
function isAdjective(words: readonly string[], at: number): boolean {
  const word = words[at] as string
  if (!COLOUR_WORDS.has(word) && !SIZES.has(word)) return false
  const next = words[at + 1]
  const alone = next === undefined || FUNCTION_WORDS.has(next)
  return !(alone && (words[at - 1] === 'a' || words[at - 1] === 'an' || words[at - 1] === 'one'))
}

function addSubject(scene: SceneDescription, icon: string, plural: boolean, pending: Pending): void {
  if (scene.subjects.length >= MOST_SUBJECTS) return
  // "A meadow with flowers" strews them; three giant daisies are not what it means.
  if (icon === 'blossom' && plural && scene.place && Object.keys(pending).length === 0) {
    scene.features.add('flowers')
    return
  }
  const of = scene.subjects.length - 1
  const subject: Subject = {
    icon,
    count: Math.max(1, Math.min(MOST_OF_ONE, pending.count ?? (plural ? 3 : 1))),
    size: pending.size ?? 1,
  }
  if (pending.tint) subject.tint = pending.tint
  if (pending.spot) subject.spot = pending.spot
  if (pending.relation && of >= 0) relate(scene, subject, pending.relation, of)
  scene.subjects.push(subject)
}

/** "A fox on a log": the words name the upper one first, so the relation is the first one's. */
function relate(scene: SceneDescription, subject: Subject, kind: Relation, of: number): void {
  const earlier = scene.subjects[of] as Subject
  earlier.relation = { kind, of: scene.subjects.length }
  if (kind === 'behind') subject.spot ??= 'front'
}

function readModifier(word: string, next: string | undefined, pending: Pending): void {
  const count = COUNTS.get(word) ?? digits(word)
  const size = SIZES.get(word)
  const manner = MANNERS.get(word)
  const hex = COLOUR_WORDS.get(word) ?? hexColour(word)
  if (count !== undefined) {
    // "a dozen", "a couple of", "two dozen": a number after a number multiplies only for dozens.
    const before = pending.count ?? 1
    pending.count =
      word === 'dozen' ? 12 * before : word === 'a' || word === 'an' ? (pending.count ?? count) : count
    if (word === 'a' || word === 'an') Object.assign(pending, { tint: undefined, size: undefined })
  } else if (size !== undefined) pending.size = size
  else if (MANY_COLOURS.has(word)) pending.tint = { many: true }
  else if (manner || hex) {
    pending.tint = {
      ...pending.tint,
      ...(hex && !pending.tint?.hex ? { hex } : {}),
      ...(manner ? { manner } : {}),
    }
  } else if (word === 'rainbow' && next) pending.tint = { many: true }
}

function digits(word: string): number | undefined {
  if (word.length > 3 || !/^\d+$/.test(word)) return undefined
  const value = Number(word)
  return value > 0 ? value : undefined
}

function hexColour(word: string): string | undefined {
  return /^#[0-9a-f]{6}$/.test(word) ? word : undefined
}

/** A negation covers the nouns that follow it, joined by "and", "or" and commas. */
function negatedUntil(words: readonly string[], from: number): number {
  let end = from
  for (let named = 0; end < words.length && end < from + 12; end++) {
    const word = words[end] as string
    const joins =
      word === 'and' || word === 'or' || word === 'any' || word === 'a' || word === 'the' || word === 'no'
    if (!joins && named > 0 && words[end - 1] !== 'and' && words[end - 1] !== 'or') break
    if (!joins) named++
  }
  return Math.max(end, from)
}

function readUnwanted(words: readonly string[], vocabulary: Vocabulary, without: Set<string>): Set<string> {
  const icons = new Set<string>()
  for (let at = 0; at < words.length; at++) {
    const element = ELEMENTS.get(words[at] as string)
    if (element) without.add(element)
    const piece = readPiece(words, at, vocabulary)
    if (piece) icons.add(piece.icon)
  }
  return icons
}

function withoutUnwanted(subjects: readonly Subject[], unwanted: ReadonlySet<string>): Subject[] {
  if (unwanted.size === 0) return [...subjects]
  const kept = subjects.filter((subject) => !unwanted.has(subject.icon))
  return kept.map((subject) => {
    const of = subject.relation ? kept.indexOf(subjects[subject.relation.of] as Subject) : -1
    const { relation, ...rest } = subject
    return relation && of >= 0 ? { ...rest, relation: { kind: relation.kind, of } } : rest
  })
}
