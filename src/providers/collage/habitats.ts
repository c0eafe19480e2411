/**
 * What pieces need to know of the world: where they live, how big they are, which of them may be mirrored.
 *
 * Data only, by piece name; what is not listed stands on the ground at its plain size.
 */
import type { Place } from './scene-words.ts'

export type Habitat = 'ground' | 'sky' | 'water' | 'seabed' | 'landmark'

const listed = (names: string) => new Set(names.split(' '))

const SKY = listed(
  'bird black-bird dove eagle bat butterfly monarch-butterfly honeybee fly mosquito lady-beetle balloon hot-air-balloon airplane small-airplane helicopter rocket satellite flying-saucer parachute kite sun sun-with-face crescent-moon full-moon star glowing-star shooting-star comet meteor ringed-planet globe-showing-europe-africa globe-showing-americas globe-showing-asia-australia rainbow fireworks snowflake cloud high-voltage red-heart fairy phoenix airplane-departure leaf-fluttering-in-wind feather sparkles red-paper-lantern superhero person-in-suit-levitating',
)
const WATER = listed(
  'fish tropical-fish blowfish shark whale spouting-whale dolphin orca octopus squid jellyfish seal turtle sailboat ship passenger-ship ferry speedboat motor-boat canoe person-rowing-boat person-swimming person-surfing mermaid merman merperson swan duck shrimp ring-buoy',
)
const SEABED = listed('crab lobster coral oyster spiral-shell treasure-chest anchor')
const LANDMARKS = listed(
  'castle japanese-castle house house-with-garden houses derelict-house church mosque synagogue hindu-temple shinto-shrine classical-building lighthouse tokyo-tower statue-of-liberty mount-fuji volcano circus-tent ferris-wheel roller-coaster factory office-building hotel hospital school stadium bank department-store hut wedding evergreen-tree deciduous-tree palm-tree christmas-tree leafless-tree fountain tent moai',
)

/** How large a piece is drawn beside others, as a factor on its height and width; gentler than nature. */
const SIZES: ReadonlyMap<string, number> = new Map(
  (
    [
      [0.5, 'ant lady-beetle fly mosquito bug cockroach worm snail spider beetle cricket'],
      [
        0.62,
        'mouse rat hamster honeybee butterfly monarch-butterfly baby-chick front-facing-baby-chick hatching-chick frog lizard bird black-bird crab scorpion mushroom blossom tulip rose key ring seedling four-leaf-clover spiral-shell shrimp',
      ],
      [
        0.8,
        'rabbit cat black-cat chipmunk hedgehog duck rooster squid owl penguin dove parrot turtle otter badger skunk raccoon beaver bat snake kite balloon dog poodle',
      ],
      [
        1.18,
        'horse unicorn cow ox bison bear polar-bear gorilla camel two-hump-camel zebra rhinoceros hippopotamus crocodile moose automobile taxi tiger lion',
      ],
      [
        1.4,
        'elephant giraffe mammoth whale spouting-whale orca dragon t-rex sauropod bus locomotive railway-car tram-car sailboat ship passenger-ship hot-air-balloon rocket delivery-truck fire-engine tractor couch-and-lamp bed',
      ],
      [
        1.5,
        'castle japanese-castle lighthouse church ferris-wheel tokyo-tower house house-with-garden houses derelict-house circus-tent volcano mount-fuji statue-of-liberty evergreen-tree deciduous-tree palm-tree christmas-tree',
      ],
    ] as const
  ).flatMap(([size, names]) => names.split(' ').map((name) => [name, size] as const)),
)

/** Writing on them would be mirrored, or a left and a right are part of what they are. */
const NEVER_FLIPPED = listed(
  'hotel hospital bank school department-store convenience-store post-office japanese-post-office taxi police-car ambulance bus fire-engine musical-note musical-notes calendar clock alarm-clock love-hotel statue-of-liberty globe-showing-europe-africa globe-showing-americas globe-showing-asia-australia keyboard guitar violin newspaper',
)

/** Where on its board a mount is sat upon. */
const SADDLES: ReadonlyMap<string, readonly [x: number, y: number]> = new Map([
  ['whale', [58, 56]],
  ['spouting-whale', [66, 62]],
  ['dolphin', [62, 34]],
  ['orca', [66, 40]],
  ['shark', [78, 56]],
  ['horse', [78, 54]],
  ['unicorn', [78, 54]],
  ['elephant', [74, 26]],
  ['dragon', [66, 66]],
  ['turtle', [72, 44]],
  ['camel', [66, 40]],
  ['dog', [70, 66]],
  ['cat', [74, 58]],
  ['bicycle', [50, 40]],
  ['motorcycle', [74, 44]],
  ['rocket', [62, 46]],
  ['fish', [58, 40]],
  ['duck', [76, 58]],
  ['swan', [76, 62]],
  ['t-rex', [58, 62]],
  ['sauropod', [78, 66]],
  ['skateboard', [60, 58]],
  ['couch-and-lamp', [44, 92]],
  ['bed', [76, 84]],
  ['chair', [60, 80]],
  ['sled', [64, 84]],
])

/** Where a piece belongs if nothing in the prompt says otherwise. */
export function habitatOf(name: string): Habitat {
  if (SKY.has(name)) return 'sky'
  if (WATER.has(name)) return 'water'
  if (SEABED.has(name)) return 'seabed'
  return LANDMARKS.has(name) ? 'landmark' : 'ground'
}

/** Factor on a piece's plain size. */
export const naturalSize = (name: string): number => SIZES.get(name) ?? 1

/** May the piece look the other way? */
export const mayFlip = (name: string): boolean => !NEVER_FLIPPED.has(name)

/** Seats with a back, and boards: who uses them is drawn before them, not behind. */
const OPEN_SEATS = listed('couch-and-lamp bed chair sled skateboard rock wood')

/** Is the rider drawn over its mount? */
export const seatsInFront = (name: string): boolean => OPEN_SEATS.has(name)

/** Where a rider sits, in board units. */
export const saddleOf = (name: string): readonly [x: number, y: number] | undefined => SADDLES.get(name)

const HOMES: readonly (readonly [Place, ReadonlySet<string>])[] = [
  [
    'underwater',
    listed(
      'fish tropical-fish blowfish shark octopus squid jellyfish mermaid merman merperson coral shrimp lobster',
    ),
  ],
  [
    'sea',
    listed(
      'whale spouting-whale dolphin orca sailboat ship passenger-ship ferry speedboat motor-boat anchor person-surfing',
    ),
  ],
  ['lake', listed('duck swan canoe person-rowing-boat goose beaver flamingo')],
  [
    'space',
    listed(
      'astronaut rocket ringed-planet satellite flying-saucer alien alien-monster comet meteor globe-showing-europe-africa globe-showing-americas',
    ),
  ],
  ['clouds', listed('airplane small-airplane eagle parachute dove phoenix superhero')],
  ['desert', listed('camel two-hump-camel cactus scorpion')],
  ['jungle', listed('monkey gorilla orangutan parrot tiger leopard sloth snake')],
  ['beach', listed('crab spiral-shell palm-tree umbrella-on-ground turtle lighthouse')],
  [
    'city',
    listed(
      'automobile taxi bus police-car fire-engine ambulance tram-car motor-scooter delivery-truck racing-car motorcycle office-building police-officer',
    ),
  ],
  [
    'forest',
    listed(
      'fox wolf bear deer owl hedgehog chipmunk mushroom raccoon boar moose badger evergreen-tree fairy elf tent',
    ),
  ],
  ['room', listed('couch-and-lamp bed chair television')],
]

/** The place where a piece feels at home; undefined where a meadow will do. */
export function homeOf(name: string): Place | undefined {
  return HOMES.find(([, names]) => names.has(name))?.[0]
}

/** Pieces that bring snow to a place that has no weather of its own. */
export const LOVES_SNOW: ReadonlySet<string> = listed(
  'polar-bear penguin snowman snowman-without-snow santa-claus mrs-claus seal skis skier snowboarder sled ice-skate',
)
