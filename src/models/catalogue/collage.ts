/** The built-in illustrator: always on, no key, no network. It draws from artwork and is no neural network. */
import type { Identity } from './identity.ts'

export const collageModels: readonly Identity[] = [
  {
    id: 'gesso-collage',
    aliases: [],
    ownedBy: 'gesso',
    created: 1_795_132_800,
    description:
      'A deterministic illustrator that draws what the prompt names from open-licensed artwork. It is no neural network: use it for first runs, demos and tests.',
    isAlgorithmic: true,
  },
]
