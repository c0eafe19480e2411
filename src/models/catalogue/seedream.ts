/** Seedream by ByteDance. */
import type { Identity } from './identity.ts'

function seedream(
  id: string,
  created: number,
  description: string,
  aliases: readonly string[] = [],
): Identity {
  return { id, aliases, ownedBy: 'bytedance', created, description }
}

export const seedreamModels: readonly Identity[] = [
  seedream('seedream-5.0-pro', 1_782_604_800, 'Seedream 5.0 Pro.', [
    'doubao-seedream-5-0-pro-260628',
    'dola-seedream-5-0-pro-260628',
  ]),
  seedream('seedream-5.0', 1_769_558_400, 'Seedream 5.0: pictures of up to 16 megapixels, edits, series.', [
    'doubao-seedream-5-0-260128',
    'seedream-5-0-260128',
  ]),
  seedream('seedream-4.5', 1_764_288_000, 'Seedream 4.5: pictures of up to 16 megapixels, edits, series.', [
    'doubao-seedream-4-5-251128',
    'seedream-4-5-251128',
  ]),
  seedream('seedream-4.0', 1_756_339_200, 'Seedream 4.0: edits and series.', [
    'doubao-seedream-4-0-250828',
    'seedream-4-0-250828',
  ]),
]
