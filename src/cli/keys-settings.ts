/** The settings of a key as options, for the commands that make and change one. */
import { type Command, InvalidArgumentError } from 'commander'
import type { ResolveModel } from '../keys/check-default-model.ts'
import { keyDefaultNames } from '../keys/key-defaults.ts'
import { type Scope, scopes } from '../keys/scopes.ts'
import { collectOption, nameOption, valueOrNull } from './option-values.ts'
import { addLimitOptions, type LimitOptions } from './option-values-limits.ts'

export interface KeySettingOptions extends LimitOptions {
  name?: string
  scopes?: Scope[]
  models?: string[] | 'none'
  default?: string[]
}

/** Adds name, scopes, models, limits and defaults; `removable` ones can also be `none`. */
export function addKeySettings(command: Command, { removable }: { removable: boolean }): Command {
  command
    .option('--name <name>', 'what the key is for', nameOption)
    .option('--scopes <list>', `any of ${scopes.join(', ')}, parted by commas`, scopesOption)
    .option(
      '--models <list>',
      `the only models it may use, parted by commas${removable ? ', or none for all' : ' (default: all)'}`,
      (text) => (removable && text === 'none' ? 'none' : listOption(text)),
    )
    .option(
      '--default <field=value>',
      `filled in where a caller is silent, again for each: ${keyDefaultNames.join(', ')}`,
      collectOption,
    )
  return addLimitOptions(command, { removable })
}

/** The models that the options name, by id. Throws `model_not_found`. */
export function modelsOf(
  { models }: KeySettingOptions,
  resolveModel: ResolveModel,
): string[] | null | undefined {
  if (models === undefined || models === 'none') return valueOrNull<string[]>(models)
  return [...new Set(models.map(resolveModel))]
}

/** Ids of models by their ids or aliases, as the configuration knows them. */
export async function openResolveModel(env: NodeJS.ProcessEnv): Promise<ResolveModel> {
  const { loadConfig } = await import('../config/load-config.ts')
  const { createCatalogue } = await import('../models/catalogue.ts')
  const catalogue = createCatalogue(loadConfig(env, process.cwd()).config.models)
  return (model) => catalogue.resolve(model).id
}

function listOption(text: string): string[] {
  const words = text.split(',').map((word) => word.trim())
  if (words.some((word) => word === '')) throw new InvalidArgumentError('It must be ids parted by commas.')
  return words
}

function scopesOption(text: string): Scope[] {
  const words = [...new Set(text.split(',').map((word) => word.trim()))]
  const known = words.filter((word): word is Scope => scopes.some((scope) => scope === word))
  if (known.length !== words.length) throw new InvalidArgumentError(`Allowed are ${scopes.join(', ')}.`)
  return known
}
