/** `models:` in `gesso.yaml`: models of one's own. */
import { z } from 'zod'
import { providerDefinitions } from '../providers/registry.ts'
import { configuredModel } from './configured-model.ts'

const providerIds = providerDefinitions.map((definition) => definition.id)

export const modelSettings = z
  .array(
    configuredModel.refine((model) => providerIds.includes(model.provider), {
      path: ['provider'],
      error: `one of ${providerIds.join(', ')}`,
    }),
    { error: 'a list of models' },
  )
  .default([])
