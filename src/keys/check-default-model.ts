/** What is filled in as the model must be one, and one that the key may use: else every call that is silent is refused. */
import { badRequest } from '../lib/errors.ts'
import type { KeyDefaults } from './key-defaults.ts'

/** The id of a model by its id or alias; throws `model_not_found`. */
export type ResolveModel = (idOrAlias: string) => string

export interface ModelSettings {
  /** The models that may be used, by id; null or absent: all. */
  models?: readonly string[] | null
  defaults?: KeyDefaults
}

/** Throws a 400, or `model_not_found`. */
export function checkDefaultModel({ models, defaults }: ModelSettings, resolveModel: ResolveModel): void {
  if (defaults?.model === undefined) return
  const id = resolveModel(defaults.model)
  if (!models || models.includes(id)) return
  throw badRequest(
    'defaults.model',
    `defaults.model is ${JSON.stringify(defaults.model)}, but the key may use only ${models.slice(0, 20).join(', ')}.`,
  )
}

/** The same for a change, which may name one of the two and not the other. */
export function checkChangedModel(
  key: ModelSettings,
  { models = key.models, defaults = key.defaults }: ModelSettings,
  resolveModel: ResolveModel,
): void {
  checkDefaultModel({ models, defaults }, resolveModel)
}
