/**
 * The families of Black Forest Labs' models, by what their endpoints take: its OpenAPI description
 * (https://api.bfl.ai/openapi.json) and its API reference (https://docs.bfl.ai/api-reference), read 2026-11-20.
 */
import { unsupported, type WireTable } from '../wire-fields.ts'

export const title = 'Black Forest Labs'

export interface Dialect {
  fields: WireTable
  /** Said in every call. The vendor rewrites prompts unless it is told not to; Gesso does that itself, and only if asked. */
  fixed: Readonly<Record<string, unknown>>
  /** The wire name of the first input picture, which the further ones number from 2, and how many there may be. */
  pictures: { name: string; max: number; min?: number }
  mask?: 'required'
}

const formats = ['jpeg', 'png', 'webp']

/** What every endpoint has. `mostTolerant` is the upper end of its `safety_tolerance`, whose default is 2 everywhere. */
function common(mostTolerant: number): WireTable {
  return {
    seed: 'seed',
    outputFormat(format) {
      if (formats.includes(format)) return { output_format: format }
      throw unsupported('output_format', `${title} makes ${formats.join(', ')}, not ${format}`)
    },
    moderation(word) {
      if (word === 'low') return { safety_tolerance: mostTolerant }
      if (word === 'auto') return {}
      throw unsupported('moderation', `${title} knows auto and low, not ${word}`)
    },
  }
}

const pixels: WireTable = { size: ({ width, height }) => ({ width, height }) }
const sampler: WireTable = { guidance: 'guidance', steps: 'steps' }
const unwritten = { prompt_upsampling: false }

const dialects: ReadonlyMap<string, Dialect> = new Map(
  Object.entries<Dialect>({
    'flux-2': {
      fields: { ...common(5), ...pixels },
      fixed: { disable_pup: true },
      pictures: { name: 'input_image', max: 8 },
    },
    'flux-2-flex': {
      fields: { ...common(5), ...pixels, ...sampler },
      fixed: unwritten,
      pictures: { name: 'input_image', max: 8 },
    },
    // Never rewrites a prompt, and has no switch for it.
    'flux-2-klein': {
      fields: { ...common(5), ...pixels },
      fixed: {},
      pictures: { name: 'input_image', max: 4 },
    },
    'flux-kontext': {
      fields: { ...common(6), aspectRatio: 'aspect_ratio' },
      fixed: unwritten,
      pictures: { name: 'input_image', max: 4 },
    },
    'flux-pro-1.1': {
      fields: { ...common(6), ...pixels },
      fixed: unwritten,
      pictures: { name: 'image_prompt', max: 1 },
    },
    'flux-pro-1.1-ultra': {
      fields: { ...common(6), aspectRatio: 'aspect_ratio', style: rawStyle, strength: pull },
      fixed: unwritten,
      pictures: { name: 'image_prompt', max: 1 },
    },
    'flux-pro-1.0-fill': {
      fields: { ...common(6), ...sampler },
      fixed: unwritten,
      pictures: { name: 'image', min: 1, max: 1 },
      mask: 'required',
    },
    'flux-dev': {
      fields: { ...common(6), ...pixels, ...sampler },
      fixed: unwritten,
      pictures: { name: 'image_prompt', max: 1 },
    },
  }),
)

/** `raw` is "less processed, more natural-looking". */
function rawStyle(style: string): Record<string, unknown> {
  if (style === 'natural' || style === 'vivid') return { raw: style === 'natural' }
  throw unsupported('style', `${title} knows natural and vivid, not ${style}`)
}

/** The seam tells how far the result may depart from the picture, this field how far the picture pulls it back. */
function pull(strength: number, request: { images?: readonly unknown[] }): Record<string, unknown> {
  if (!request.images?.length) throw unsupported('strength', `${title} takes it with an input picture only`)
  return { image_prompt_strength: Number((1 - strength).toFixed(6)) }
}

/** Of two that fit a model's name, the earlier one. */
const guesses = [
  'flux-2-klein',
  'flux-2-flex',
  'flux-kontext',
  'flux-pro-1.1-ultra',
  'flux-pro-1.1',
  'flux-pro-1.0-fill',
  'flux-dev',
]

export const dialectNames: readonly string[] = [...dialects.keys()]

/** The dialect of this name; without a name, the one that the model's name suggests. */
export function findDialect(name: string | undefined, model: string): Dialect | undefined {
  return dialects.get(name ?? guesses.find((guess) => model.startsWith(guess)) ?? 'flux-2')
}
