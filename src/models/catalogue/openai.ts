/** OpenAI's image models, and the ids that it has closed and old clients still send. */
import type { Identity } from './identity.ts'

function gptImage(
  id: string,
  created: number,
  description: string,
  aliases: readonly string[] = [],
): Identity {
  return { id, aliases, ownedBy: 'openai', created, description }
}

/** GPT Image 2 draws in its place. */
function closed(id: string, created: number, on: string, description: string): Identity {
  return { ...gptImage(id, created, description), retired: { on, successor: 'gpt-image-2' } }
}

export const openAiModels: readonly Identity[] = [
  gptImage('gpt-image-2.6-sunburst', 1_793_491_200, 'OpenAI GPT Image 2.6, the larger one.'),
  gptImage('gpt-image-2.6-flare', 1_793_491_200, 'OpenAI GPT Image 2.6, the faster one.'),
  gptImage('gpt-image-2', 1_776_729_600, 'OpenAI GPT Image 2: any size, generations and edits.', [
    'gpt-image-2-2026-04-21',
  ]),
  gptImage('gpt-image-2.5-sunburst', 1_788_825_600, 'OpenAI GPT Image 2.5, the larger one.', [
    'gpt-image-2.5-sunburst-2026-09-08',
  ]),
  gptImage('gpt-image-2.5-flare', 1_788_825_600, 'OpenAI GPT Image 2.5, the faster one.', [
    'gpt-image-2.5-flare-2026-09-08',
  ]),
  gptImage('gpt-image-1.5', 1_765_843_200, 'OpenAI GPT Image 1.5.'),
  gptImage('gpt-image-1-mini', 1_759_708_800, 'OpenAI GPT Image 1 mini.'),
  gptImage('chatgpt-image-latest', 1_765_843_200, 'The image model that ChatGPT uses today.'),
  closed(
    'gpt-image-1',
    1_745_366_400,
    '2026-10-23',
    'OpenAI GPT Image 1, closed; GPT Image 2 draws in its place.',
  ),
  closed('dall-e-3', 1_698_785_189, '2026-05-12', 'OpenAI DALL·E 3, closed; GPT Image 2 draws in its place.'),
  closed('dall-e-2', 1_698_798_177, '2026-05-12', 'OpenAI DALL·E 2, closed; GPT Image 2 draws in its place.'),
]
