/**
 * The light of a scene: what the sky looks like and what it does to everything under it.
 *
 * Distance and night are both just mixing: far things take the colour of the haze, and at night all things
 * take some of the night's blue. Pieces take less of it than land does, so that they stay readable.
 */
import { adjust, type ColourMap, mix, remembering, toHex, toOklch } from './colours.ts'
import type { Random } from './random.ts'

export type Time = 'day' | 'sunrise' | 'sunset' | 'night'
export type Weather =
  | 'snow'
  | 'snowy'
  | 'rain'
  | 'mist'
  | 'storm'
  | 'cloudy'
  | 'autumn'
  | 'rainbow'
  | 'aurora'
  | 'wind'

/** What everything in a scene is painted under. */
export interface Light {
  time: Time
  dark: boolean
  /** From the zenith to the horizon. */
  sky: readonly string[]
  haze: string
  /** The sun's or the moon's own colour. */
  glow: string
  /** A scenery colour as it looks at `depth` 0 (near) to 1 (horizon). */
  land(hex: string, depth: number): string
  /** A piece's colour as it looks here. */
  piece: ColourMap
}

interface Hour {
  skies: readonly (readonly string[])[]
  haze: string
  glow: string
  tint: string
  /** How much of the tint land and pieces take, and how much lightness they keep. */
  land: number
  landLight: number
  piece: number
  pieceLight: number
}

const HOURS: Readonly<Record<Time, Hour>> = {
  day: {
    skies: [
      ['#3f9ae6', '#86c8f4', '#d9f1fb'],
      ['#4aa8e0', '#9ad7ee', '#f3f6dc'],
      ['#5b8fe8', '#a5c9f7', '#fbeee0'],
    ],
    haze: '#d3ecf5',
    glow: '#fff3c4',
    tint: '#fff1c9',
    land: 0.04,
    landLight: 1,
    piece: 0,
    pieceLight: 1,
  },
  sunrise: {
    skies: [
      ['#6f8fd8', '#f2b5c0', '#ffe9bf'],
      ['#7aa7dd', '#f9c6b4', '#fff1cf'],
    ],
    haze: '#fbdccb',
    glow: '#fff0b8',
    tint: '#ff9f80',
    land: 0.14,
    landLight: 0.95,
    piece: 0.05,
    pieceLight: 0.98,
  },
  sunset: {
    skies: [
      ['#39296b', '#a8437f', '#f4775c', '#ffca74'],
      ['#2b3a78', '#7c4a94', '#ee6f77', '#ffc06a'],
      ['#4a2b66', '#c24d6e', '#fb8f55', '#ffdd8a'],
    ],
    haze: '#f7a27d',
    glow: '#fff0a6',
    tint: '#b1406a',
    land: 0.19,
    landLight: 0.88,
    piece: 0.1,
    pieceLight: 0.95,
  },
  night: {
    skies: [
      ['#0a1136', '#1c2c66', '#43599a'],
      ['#0c1030', '#2a2763', '#6a5aa0'],
      ['#06182f', '#12395c', '#3d7c94'],
    ],
    haze: '#4d6199',
    glow: '#fdf6d8',
    tint: '#22336f',
    land: 0.42,
    landLight: 0.62,
    piece: 0.09,
    pieceLight: 0.94,
  },
}

/** The light for an hour and its weather; the exact sky is the seed's choice. */
export function createLight(
  time: Time,
  weather: ReadonlySet<Weather>,
  random: Random,
  skyColour?: string,
): Light {
  const hour = HOURS[time]
  const dull = weather.has('storm') ? 0.62 : weather.has('rain') ? 0.5 : weather.has('mist') ? 0.35 : 0
  const grey = time === 'night' ? '#2c3854' : weather.has('storm') ? '#5d6b7d' : '#a9bac6'
  const snowSky = weather.has('snow') || weather.has('snowy') ? 0.28 : 0
  let sky = random.pick(hour.skies).map((colour) => mix(colour, grey, dull))
  let haze = mix(hour.haze, grey, dull * 0.6)
  if (snowSky > 0 && time !== 'sunset') {
    sky = sky.map((colour, index) =>
      mix(colour, time === 'night' ? '#5a6ea8' : '#eef5fb', snowSky * (0.5 + index / 3)),
    )
    haze = mix(haze, time === 'night' ? '#8b9cc9' : '#f1f7fc', 0.4)
  }
  if (skyColour) {
    sky = sky.map((colour, index) => tinted(colour, skyColour, index / (sky.length - 1)))
    haze = mix(haze, skyColour, 0.4)
  }
  const under = (hex: string, amount: number, keep: number) => {
    const colour = toOklch(hex)
    return mix(toHex({ ...colour, l: colour.l * keep }), hour.tint, amount)
  }
  const near = remembering((hex) => under(hex, hour.land, hour.landLight))
  return {
    time,
    dark: time === 'night',
    sky,
    haze,
    glow: hour.glow,
    land: (hex, depth) => mix(near(hex), haze, depth * (weather.has('mist') ? 0.95 : 0.86)),
    piece: hour.piece === 0 ? (hex) => hex : remembering((hex) => under(hex, hour.piece, hour.pieceLight)),
  }
}

function tinted(colour: string, wanted: string, towardsHorizon: number): string {
  const from = toOklch(colour)
  const to = toOklch(wanted)
  return adjust(
    toHex({ l: from.l * 0.6 + to.l * 0.4, c: Math.max(to.c * 0.8, 0.01), h: to.h }),
    0.12 * towardsHorizon,
  )
}
