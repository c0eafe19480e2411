/** The prompt's length, against the model's limit. */

import { countCharacters } from '../lib/count-characters.ts'
import { badRequest } from '../lib/errors.ts'
import type { ServedModel } from '../models/model.ts'

/** Throws where the prompt is longer than the model takes. Characters are Unicode code points. */
export function checkPrompt(model: ServedModel, prompt: string): void {
  if (prompt.length <= model.promptCharacters) return
  const characters = countCharacters(prompt)
  if (characters <= model.promptCharacters) return
  throw badRequest(
    'prompt',
    `prompt has ${characters} characters, but ${model.id} takes at most ${model.promptCharacters}.`,
  )
}
