/**
 * A model as the catalogue describes it: what it is, and for each provider that serves it what it accepts there and what
 * becomes of each field. This is data: validation, mapping, warnings and `GET /v1/models` are all derived from it.
 */
import type { FieldName } from './fields.ts'
import type { Price } from './price.ts'
import type { SizeRule } from './size-rule.ts'

/**
 * What becomes of a field. `native`: passed on as it is. `renamed`: under the provider's name. `converted`: its
 * value is translated. `emulated`: Gesso does it itself. `unsupported`: refused, or ignored with a warning.
 */
export interface FieldRule {
  support: 'native' | 'renamed' | 'converted' | 'emulated' | 'unsupported'
  /** The words that are allowed. */
  values?: readonly string[]
  /** The numbers that are allowed; for `image` how many pictures. */
  range?: { min: number; max: number }
  /** The sizes that are allowed. */
  sizes?: SizeRule
  /** What the model does when the field is absent. */
  default?: string | number | boolean
  /** The provider's word for a caller's word that it does not know. */
  wire?: Readonly<Record<string, string>>
  /** Put in by Gesso where the caller is silent: how an old id keeps its old default. */
  fill?: string
  /** The most entries of a list. */
  maxItems?: number
  /** Means nothing to the model beside input pictures, and counts as unsupported there. */
  withoutImages?: boolean
  /** The model draws nothing without it; only for `image` and `mask`. */
  required?: boolean
}

/** The capability table of a model. */
export type FieldTable = Record<FieldName, FieldRule>

/** What a model can do where it is served. */
export interface Abilities {
  /** The longest prompt, in characters. */
  promptCharacters: number
  /** The most pictures of one call to the provider; more are made by several calls. */
  imagesPerCall: number
  fields: FieldTable
  /** Shows unfinished pictures while it draws. */
  streams?: boolean
  /** Absent where it is not known, or nothing is charged. */
  price?: Price
}

/** One place that serves the model. */
export interface ModelRoute extends Abilities {
  /** A provider's id in the registry. */
  provider: string
  /** The model in that provider's words. */
  upstreamModel: string
  /** The wire dialect, where the provider speaks several. */
  dialect?: string
}

export interface Model {
  id: string
  aliases: readonly string[]
  /** Who made the model, as `owned_by` says it. */
  ownedBy: string
  /** Unix seconds of the release, for `created`. */
  created: number
  /** A sentence for people. */
  description: string
  /** Where it is served. The first whose provider is configured is used. */
  routes: readonly [ModelRoute, ...ModelRoute[]]
  /** Draws from rules and artwork, and not by a trained network: what the files say of their origin. */
  isAlgorithmic?: boolean
  /** The vendor has closed it; another model draws in its place. */
  retired?: { on: string; successor: string }
}

/** A model as one route serves it. */
export type ServedModel = Model & Abilities

/** The model with the abilities it has on this route. */
export function servedBy(
  model: Model,
  { promptCharacters, imagesPerCall, fields, streams, price }: ModelRoute,
): ServedModel {
  return { ...model, promptCharacters, imagesPerCall, fields, streams, price }
}
