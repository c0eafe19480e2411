/** `models:` in `gesso.yaml`: models of one's own. */
import { z } from 'zod'
import { providerDefinitions } from '../providers/registry.ts'
import { builtInModels } from './catalogue.ts'
import { type ConfiguredModel, configuredModel } from './configured-model.ts'

const providerIds = providerDefinitions.map((definition) => definition.id)

const definitionOf = (id: string) => providerDefinitions.find((definition) => definition.id === id)

const dialectsOf = (id: string) => definitionOf(id)?.dialects ?? []

function expectedDialect(provider: string): string {
  const dialects = dialectsOf(provider)
  return dialects.length > 0 ? `one of ${dialects.join(', ')}` : `nothing: ${provider} has one dialect`
}

/** Names that would be lost in silence: of two owners, only one would be found. */
function nameProblems(models: readonly ConfiguredModel[]): { path: (string | number)[]; message: string }[] {
  const ids = new Set([...builtInModels, ...models].map((model) => model.id))
  const takenIds = new Set<string>()
  const takenAliases = new Set<string>()
  return models.flatMap(({ id, aliases }, index) => {
    const problems = []
    if (takenIds.has(id)) problems.push({ path: [index, 'id'], message: 'an id that no model above has' })
    takenIds.add(id)
    if (aliases.some((alias) => ids.has(alias) || takenAliases.has(alias))) {
      problems.push({ path: [index, 'aliases'], message: 'names that no other model has' })
    }
    for (const alias of aliases) takenAliases.add(alias)
    return problems
  })
}

export const modelSettings = z
  .array(
    configuredModel
      .refine((model) => providerIds.includes(model.provider), {
        path: ['provider'],
        error: `one of ${providerIds.join(', ')}`,
      })
      .refine(
        ({ dialect, provider }) =>
          dialect === undefined || !providerIds.includes(provider) || dialectsOf(provider).includes(dialect),
        {
          path: ['dialect'],
          error: ({ input }) => expectedDialect((input as { provider: string }).provider),
        },
      )
      .transform((model) => ({
        ...model,
        images_per_call: model.images_per_call ?? definitionOf(model.provider)?.imagesPerCall,
      })),
    { error: 'a list of models' },
  )
  .superRefine((models, context) => {
    for (const problem of nameProblems(models)) context.addIssue({ code: 'custom', ...problem })
  })
  .default([])
