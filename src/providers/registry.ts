/**
 * Every provider Gesso knows, one line each. Adding a provider is a folder beside this file and a line here.
 * Only `app.ts` and the configuration read the list; nothing else names a concrete provider.
 */
import { ark } from './ark/ark.ts'
import { azure } from './azure/azure.ts'
import { bfl } from './bfl/bfl.ts'
import { collage } from './collage/collage.ts'
import { dashscope } from './dashscope/dashscope.ts'
import { fal } from './fal/fal.ts'
import { gemini } from './gemini/gemini.ts'
import { openai } from './openai/openai.ts'
import type { ProviderDefinition } from './provider.ts'
import { replicate } from './replicate/replicate.ts'

export const providerDefinitions: readonly ProviderDefinition[] = [
  collage,
  openai,
  azure,
  replicate,
  bfl,
  dashscope,
  ark,
  gemini,
  fal,
]
