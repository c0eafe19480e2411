/** The image models of Google Gemini. */
import type { Identity } from './identity.ts'

function gemini(id: string, created: number, description: string): Identity {
  return { id, aliases: [], ownedBy: 'google', created, description }
}

export const geminiModels: readonly Identity[] = [
  gemini(
    'gemini-3-pro-image',
    1_763_596_800,
    'Gemini 3 Pro Image: up to 4K, edits of up to fourteen pictures.',
  ),
  gemini('gemini-3.1-flash-image', 1_772_064_000, 'Gemini 3.1 Flash Image: 512 pixels to 4K, quick.'),
  gemini('gemini-3.1-flash-lite-image', 1_780_272_000, 'Gemini 3.1 Flash-Lite Image: the cheapest one.'),
  {
    ...gemini(
      'gemini-2.5-flash-image',
      1_756_166_400,
      'Gemini 2.5 Flash Image, closed; Gemini 3.1 Flash Image draws in its place.',
    ),
    retired: { on: '2026-10-02', successor: 'gemini-3.1-flash-image' },
  },
]
