/**
 * One word made singular, the English way: "foxes" is "fox", "leaves" is "leaf", "mice" is "mouse".
 *
 * It offers readings and does not choose; the vocabulary knows which of them is a word.
 */

const IRREGULAR: Readonly<Record<string, string>> = {
  mice: 'mouse',
  geese: 'goose',
  children: 'child',
  kids: 'child',
  men: 'man',
  women: 'woman',
  people: 'person',
  feet: 'foot',
  teeth: 'tooth',
  wolves: 'wolf',
  leaves: 'leaf',
  loaves: 'loaf',
  knives: 'knife',
  elves: 'elf',
  calves: 'calf',
  wives: 'wife',
  oxen: 'ox',
  octopi: 'octopus',
  cacti: 'cactus',
  hippopotami: 'hippopotamus',
  fungi: 'mushroom',
  firemen: 'fireman',
  policemen: 'policeman',
  snowmen: 'snowman',
  spacemen: 'spaceman',
}

/** The word itself first, then what it may be the plural of. At most four readings. */
export function singularReadings(word: string): string[] {
  const irregular = IRREGULAR[word]
  if (irregular) return [word, irregular]
  const readings = [word]
  if (word.length < 4 || !word.endsWith('s') || word.endsWith('ss')) return readings
  if (word.endsWith('ies')) readings.push(`${word.slice(0, -3)}y`)
  if (word.endsWith('es')) readings.push(word.slice(0, -2))
  readings.push(word.slice(0, -1))
  return readings
}
