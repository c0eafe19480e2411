/** `models:` in `gesso.yaml`: models of one's own. */
import { z } from 'zod'
import { providerDefinitions } from '../providers/registry.ts'
import { configuredModel } from './configured-model.ts'

const providerIds = providerDefinitions.map((definition) => definition.id)

const dialectsOf = (id: string) =>
  providerDefinitions.find((definition) => definition.id === id)?.dialects ?? []

function expectedDialect(provider: string): string {
  const dialects = dialectsOf(provider)
  return dialects.length > 0 ? `one of ${dialects.join(', ')}` : `nothing: ${provider} has one dialect`
}

export const modelSettings = z
  .array(
    configuredModel
      .refine((model) => providerIds.includes(model.provider), {
        path: ['provider'],
        error: `one of ${providerIds.join(', ')}`,
      })
      .refine(({ dialect, provider }) => dialect === undefined || dialectsOf(provider).includes(dialect), {
        path: ['dialect'],
        error: ({ input }) => expectedDialect((input as { provider: string }).provider),
      }),
    { error: 'a list of models' },
  )
  .default([])
