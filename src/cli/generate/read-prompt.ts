/** The prompt: the argument itself, or stdin where it is `-`. */
import { text } from 'node:stream/consumers'
import { usageFailure } from '../failure.ts'
import type { Talk } from '../output.ts'

/** Reads it; line ends at its end are no part of it. */
export async function readPrompt(argument: string, talk: Talk): Promise<string> {
  if (argument !== '-') return argument
  if (process.stdin.isTTY) talk.say('Type the prompt, then press Ctrl-D.')
  const prompt = (await text(process.stdin)).replace(/[\r\n]+$/, '')
  if (prompt.trim() === '')
    throw usageFailure('prompt', 'The prompt was to come from stdin, but nothing came.')
  return prompt
}
