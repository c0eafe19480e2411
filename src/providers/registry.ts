/**
 * Every provider Gesso knows, one line each. Adding a provider is a folder beside this file and a line here.
 * Only `app.ts` and the configuration read the list; nothing else names a concrete provider.
 */
import { collage } from './collage/collage.ts'
import { openai } from './openai/openai.ts'
import type { ProviderDefinition } from './provider.ts'

export const providerDefinitions: readonly ProviderDefinition[] = [collage, openai]
