/**
 * Bodies for pieces that the artwork knows only as a head, and pieces that it does not know at all.
 *
 * A head floating over the grass looks cut off, so a fox sits on its tail, and an astronaut stands on two
 * boots. Boards are 128 wide and as tall as they need; heads keep their place at the top.
 */

import { adjust, type ColourMap, mapColours, toHex, toOklch } from './colours.ts'
import type { Icon } from './icon.ts'

interface Animal {
  fur: string
  belly: string
  paw: string
  /** Arms and legs, where they differ from the fur. */
  limb?: string
  tail?: 'bushy' | 'tuft' | 'round'
  /** A line round the body where the head has one. */
  outline?: string
  tip?: string
}

const ANIMALS: Readonly<Record<string, Animal>> = {
  fox: { fur: '#ff6011', belly: '#fff4e6', paw: '#4a4a4c', tail: 'bushy', tip: '#fff4e6' },
  wolf: { fur: '#a9a9a9', belly: '#e3e3e3', paw: '#8a8a8a', tail: 'bushy', tip: '#e0e0e0' },
  bear: { fur: '#855b52', belly: '#a97c66', paw: '#6c4940', tail: 'round' },
  'polar-bear': { fur: '#eef6f8', belly: '#ffffff', paw: '#dbe9ee', tail: 'round', outline: '#93bfd0' },
  panda: {
    fur: '#ffffff',
    belly: '#ffffff',
    paw: '#3d3d3d',
    limb: '#4d4d4d',
    outline: '#4d4d4d',
  },
  koala: { fur: '#9a9a9a', belly: '#d0d0d0', paw: '#7d7d7d', tail: 'round' },
  lion: { fur: '#f2ab2e', belly: '#ffd27a', paw: '#e09a22', tail: 'tuft', tip: '#6d4c41' },
  frog: { fur: '#99c42b', belly: '#d5ea8a', paw: '#7fa91f' },
  hamster: { fur: '#ffb47a', belly: '#fff3e6', paw: '#ff9f80', tail: 'round' },
  boar: { fur: '#6d4c41', belly: '#80604f', paw: '#4e362e', tail: 'tuft', tip: '#4e342e' },
  'dog-face': { fur: '#fff0d8', belly: '#fffaf0', paw: '#f2d5b0', tail: 'bushy', tip: '#dba689' },
  'cat-face': { fur: '#ffc022', belly: '#ffe082', paw: '#ffa000', tail: 'bushy', tip: '#ff9800' },
  'monkey-face': { fur: '#a67844', belly: '#e3bd8f', paw: '#8a6136', tail: 'tuft', tip: '#8a6136' },
  'tiger-face': { fur: '#ff9d1f', belly: '#fff3e0', paw: '#f08a10', tail: 'tuft', tip: '#3c2a20' },
  'pig-face': { fur: '#ffcdc0', belly: '#ffe0d8', paw: '#f0a89a' },
  'mouse-face': { fur: '#b0bec5', belly: '#e3eaee', paw: '#f0a0b0', tail: 'tuft', tip: '#f0a0b0' },
  'rabbit-face': { fur: '#e0e0e0', belly: '#ffffff', paw: '#cfcfcf', tail: 'round', tip: '#ffffff' },
}

interface Person {
  top: string
  legs: string
  shoes: string
  /** A gown to the ground instead of legs. */
  gown?: boolean
  /** Shoulders as wide as the bust's: most busts fill the board, bare heads do not. */
  bust?: boolean
}

const PEOPLE: Readonly<Record<string, Person>> = {
  astronaut: { top: '#d6d6d6', legs: '#e8e8e8', shoes: '#858585', bust: true },
  robot: { top: '#8fa3ad', legs: '#78909c', shoes: '#546e7a' },
  alien: { top: '#9fb0b8', legs: '#8aa0aa', shoes: '#6c838d' },
  girl: { top: '#e8588a', legs: '#e8588a', shoes: '#8e3b63', gown: true },
  boy: { top: '#3f8ee0', legs: '#4a5a75', shoes: '#e0523f' },
  child: { top: '#f2a134', legs: '#5276a8', shoes: '#c94f3d' },
  baby: { top: '#9fd8ef', legs: '#9fd8ef', shoes: '#78bcd8' },
  mage: { top: '#5c7d8f', legs: '#4f6e80', shoes: '#38505e', gown: true, bust: true },
  prince: { top: '#c93a3a', legs: '#4a4a63', shoes: '#5a3a26' },
  princess: { top: '#d85aa8', legs: '#d85aa8', shoes: '#a03a7a', gown: true },
  'person-with-crown': { top: '#7a4fc0', legs: '#7a4fc0', shoes: '#54358a', gown: true },
  guard: { top: '#d32f2f', legs: '#33333a', shoes: '#1c1c1f', bust: true },
  cook: { top: '#f0f0f0', legs: '#6b7480', shoes: '#3c3f44', bust: true },
  'police-officer': { top: '#2d56a8', legs: '#23407c', shoes: '#20252e', bust: true },
  firefighter: { top: '#d83a2f', legs: '#42464d', shoes: '#26282c', bust: true },
  'santa-claus': { top: '#d8302f', legs: '#d8302f', shoes: '#2b2b2b' },
  'mrs-claus': { top: '#d8302f', legs: '#d8302f', shoes: '#2b2b2b', gown: true },
  ninja: { top: '#33363c', legs: '#33363c', shoes: '#1f2125', bust: true },
  detective: { top: '#5d6066', legs: '#4a4c50', shoes: '#2c2d30', bust: true },
  singer: { top: '#d0306e', legs: '#39334a', shoes: '#1f1b2a', bust: true },
  'old-man': { top: '#6e8f5a', legs: '#6f6257', shoes: '#4a3c33' },
  'old-woman': { top: '#8f6aa8', legs: '#8f6aa8', shoes: '#5e4470', gown: true },
  artist: { top: '#3f4a56', legs: '#5a6b80', shoes: '#2f3640', bust: true },
  farmer: { top: '#4a7fc4', legs: '#4a7fc4', shoes: '#6e4a2f', bust: true },
  scientist: { top: '#f0f4f6', legs: '#5d6b78', shoes: '#343c44', bust: true },
  pilot: { top: '#2b3442', legs: '#2b3442', shoes: '#181d26', bust: true },
  vampire: { top: '#2a2a30', legs: '#2a2a30', shoes: '#151518', gown: true, bust: true },
  elf: { top: '#e0562f', legs: '#8a5a34', shoes: '#5e3c22', bust: true },
  student: { top: '#33363c', legs: '#33363c', shoes: '#1f2125', gown: true, bust: true },
  mechanic: { top: '#3f7ad6', legs: '#3464b4', shoes: '#3c3f44', bust: true },
  'construction-worker': { top: '#3f7ad6', legs: '#35507c', shoes: '#6e4a2f', bust: true },
}

/** The pieces drawn here from nothing. */
export const OWN_PIECES: readonly string[] = ['hot-air-balloon']

/** A unicorn is a white horse with another mane and a horn; the artwork has only its bust. */
export function unicornFrom(horse: Icon): Icon {
  const repaint: ColourMap = (hex) => {
    const { l, c, h } = toOklch(hex)
    if (c < 0.03 || l < 0.32) return hex
    // The horse's mane, tail and hooves are a redder and darker brown than its coat.
    return l < 0.56
      ? toHex({ l: l + 0.14, c: 0.19, h: 350 })
      : toHex({ l: 0.55 + l * 0.48, c: 0.018, h: h + 220 })
  }
  const horn =
    '<path fill="#fcd14a" d="M9.500 27L1.500-8L21 19z"/><path fill="#f2a93b" d="M3.700 1l4.700 2.400l1.800 3l-5.200-1.600zM6 11l8-2l2.300 3.400l-9.200 3z"/>'
  const bounds = { ...horse.bounds, top: -8, left: Math.min(1, horse.bounds.left) }
  return { name: 'unicorn', body: mapColours(horse.body, repaint) + horn, bounds }
}

/** The piece with a body where it has only a head; other pieces come back as they are. */
export function withBody(icon: Icon): Icon {
  const animal = ANIMALS[icon.name]
  if (animal) return animalFigure(icon, animal)
  const person = PEOPLE[icon.name]
  return person ? personFigure(icon, person) : icon
}

function animalFigure(icon: Icon, animal: Animal): Icon {
  const limb = animal.limb ?? animal.fur
  const shade = adjust(animal.fur, -0.09)
  const drop = icon.bounds.bottom - 118
  const body =
    tail(animal) +
    `<path fill="${animal.limb ?? shade}" d="M36 150c-18 2-25 22-20 38c2 6 8 8 14 8h22l-4-40z M92 150c18 2 25 22 20 38c-2 6-8 8-14 8h-22l4-40z"/>` +
    `<path fill="${animal.fur}"${animal.outline ? ` stroke="${animal.outline}" stroke-width="2.500"` : ''} d="M40 98C30 122 28 158 32 184c1 7 6 11 14 11h36c8 0 13-4 14-11c4-26 2-62-8-86z"/>` +
    `<path fill="${animal.belly}" d="M43 104c2-6 40-6 42 0c5 22-6 52-21 58c-15-6-26-36-21-58z"/>` +
    `<path fill="${limb}" d="M42 138c0-9 19-9 20 0l1 50c0 9-19 9-19 0zM86 138c0-9-19-9-20 0l-1 50c0 9 19 9 19 0z"/>` +
    `<path fill="${adjust(limb, -0.1)}" d="M61 139l1.500 50h3l1.500-50z"/>` +
    paws(animal.paw) +
    `<path fill="${adjust(animal.fur, -0.28)}" fill-opacity=".3" d="M38 108c10 16 42 16 52 0l-2-10h-48z"/>` +
    `<g transform="translate(0 ${(-drop).toFixed(1)})">${icon.body}</g>`
  const top = icon.bounds.top - drop
  return {
    name: icon.name,
    body,
    bounds: { left: 2, top, right: animal.tail === 'round' ? 126 : 132, bottom: 197 },
  }
}

function paws(colour: string): string {
  const paw = (x: number, rx: number) =>
    `<ellipse cx="${x}" cy="191" rx="${rx}" ry="6.500" fill="${colour}"/>`
  return paw(28, 12) + paw(100, 12) + paw(53, 10.5) + paw(75, 10.5)
}

function tail({ tail: kind, fur, tip = fur }: Animal): string {
  const dark = adjust(fur, -0.05)
  if (kind === 'round') return `<circle cx="104" cy="172" r="13" fill="${tip === fur ? dark : tip}"/>`
  if (kind === 'tuft') {
    return (
      `<path fill="none" stroke="${dark}" stroke-width="8" stroke-linecap="round" d="M92 184c28 6 36-16 30-40"/>` +
      `<path fill="${tip}" d="M121 148c-9-6-10-20-2-30c9 6 14 20 9 31z"/>`
    )
  }
  if (kind !== 'bushy') return ''
  return (
    `<path fill="${dark}" d="M84 190c30 8 52-12 49-46c-1-14-8-26-12-32c-4 10-6 14-12 22c-8 12-6 26-24 36z"/>` +
    `<path fill="${tip}" d="M131 133c-2-9-7-17-10-21c-3 8-5 12-9 17c3 5 5 4 7 8c4-4 8-1 12-4z"/>`
  )
}

function personFigure(icon: Icon, person: Person): Icon {
  const dark = adjust(person.top, -0.08)
  const w = person.bust ? 44 : 30
  const from = person.bust ? 112 : 104
  const below = person.gown ? gown(person, w, from) : legs(person, w, from)
  const arms = `<path fill="${dark}" d="M${64 - w + 4} ${from + 2}c-12 6-17 26-16 42c1 8 12 8 13 0c1-10 3-20 7-26zM${64 + w - 4} ${from + 2}c12 6 17 26 16 42c-1 8-12 8-13 0c-1-10-3-20-7-26z"/>`
  const body = `${below}${arms}<path fill="${adjust(person.top, -0.25)}" fill-opacity=".25" d="M${70 - w} ${from + 6}c14 14 ${w * 2 - 40} 14 ${w * 2 - 12} 0v-10h-${w * 2 - 12}z"/>${icon.body}`
  return { name: icon.name, body, bounds: { left: 4, top: icon.bounds.top, right: 124, bottom: 199 } }
}

function legs(person: Person, w: number, from: number): string {
  const inner = 64 - w + 6
  const outer = 64 + w - 6
  return (
    `<path fill="${person.legs}" d="M${inner} 150h${outer - inner}l-3 44h-${w - 12}l-3-30l-3 30h-${w - 12}z"/>` +
    `<path fill="${person.shoes}" d="M${inner + 1} 188h${w - 8}v11h-${w + 2}c-2-7 2-11 10-11zM${outer - 1} 188h-${w - 8}v11h${w + 2}c2-7-2-11-10-11z"/>` +
    `<path fill="${person.top}" d="M${64 - w} ${from + 4}q${w}-16 ${w * 2} 0l-6 50q${6 - w} 6-${w * 2 - 12} 0z"/>`
  )
}

function gown(person: Person, w: number, from: number): string {
  return (
    `<path fill="${person.shoes}" d="M44 188h16v11h-20c-2-7 0-11 4-11zM84 188h-16v11h20c2-7 0-11-4-11z"/>` +
    `<path fill="${person.legs}" d="M${72 - w} ${from + 2}h${w * 2 - 16}l14 76q-${w + 6} 12-${w * 2 + 12} 0z"/>` +
    `<path fill="${adjust(person.legs, -0.07)}" d="M54 150l-8 44l10 1.500zM76 150l8 44l-10 1.500z"/>`
  )
}

/** A piece of our own by name, in the manner of the artwork. */
export function ownPiece(name: string): Icon | undefined {
  if (name !== 'hot-air-balloon') return undefined
  const body =
    '<path fill="#8a5a34" d="M50 128h28l-3 22q-11 4-22 0z"/><path fill="#6e4527" d="M49 126h30v6h-30z"/>' +
    '<path fill="none" stroke="#7a5a40" stroke-width="1.600" d="M36 92l15 36M92 92l-15 36M56 104l2 24M72 104l-2 24"/>' +
    '<path fill="#e8453c" d="M64 4C30 4 10 28 10 54c0 24 22 38 34 54q20 6 40 0c12-16 34-30 34-54C118 28 98 4 64 4z"/>' +
    '<path fill="#ffc43d" d="M64 4C46 8 36 30 36 54c0 22 10 42 16 55q12 2 24 0c6-13 16-33 16-55C92 30 82 8 64 4z"/>' +
    '<path fill="#e8453c" d="M64 4C57 10 53 32 53 54c0 22 4 42 7 56q4 .500 8 0c3-14 7-34 7-56C75 32 71 10 64 4z"/>' +
    '<path fill="#3f8ee0" d="M10.500 48q53 22 107 0q2 8-1 18q-52 20-105 0q-3-8-1-18z"/>' +
    '<path fill="#ffffff" fill-opacity=".3" d="M26 26c8-10 14-14 20-15c-14 12-20 28-20 46c-6-10-6-22 0-31z"/>'
  return { name, body, bounds: { left: 10, top: 4, right: 118, bottom: 152 } }
}
