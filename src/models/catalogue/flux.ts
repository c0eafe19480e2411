/** FLUX by Black Forest Labs. */
import type { Identity } from './identity.ts'

function flux(id: string, created: number, description: string, aliases: readonly string[] = []): Identity {
  return { id, aliases, ownedBy: 'black-forest-labs', created, description }
}

export const fluxModels: readonly Identity[] = [
  flux('flux-1.1-pro', 1_727_827_200, 'FLUX 1.1 [pro]: high quality, quick.', ['flux-pro-1.1']),
  flux('flux-1.1-pro-ultra', 1_730_851_200, 'FLUX 1.1 [pro] ultra: four megapixels, by aspect ratio.', [
    'flux-pro-1.1-ultra',
  ]),
  flux('flux-pro', 1_722_470_400, 'FLUX.1 [pro].'),
  flux('flux-1-schnell', 1_722_470_400, 'FLUX.1 [schnell]: the quickest one.', ['flux-schnell']),
  flux('flux-1-schnell-lora', 1_722_470_400, 'FLUX.1 [schnell] with LoRA weights.', ['flux-schnell-lora']),
  flux('flux-1-dev', 1_722_470_400, 'FLUX.1 [dev]: open weights.', ['flux-dev']),
  flux('flux-kontext-pro', 1_748_476_800, 'FLUX.1 Kontext [pro]: changes a picture as the prompt says.'),
  flux('flux-kontext-max', 1_748_476_800, 'FLUX.1 Kontext [max]: the larger Kontext.'),
  flux('flux-fill-pro', 1_732_147_200, 'FLUX.1 Fill [pro]: paints what the mask leaves open.', [
    'flux-pro-1.0-fill',
  ]),
  flux('flux-depth-pro', 1_732_147_200, 'FLUX.1 Depth [pro]: keeps the depth of its input picture.'),
  flux('flux-canny-pro', 1_732_147_200, 'FLUX.1 Canny [pro]: keeps the edges of its input picture.'),
  flux('flux-2-pro', 1_764_028_800, 'FLUX.2 [pro]: up to eight input pictures and four megapixels.'),
  flux('flux-2-pro-preview', 1_764_028_800, 'FLUX.2 [pro], its coming version.'),
  flux('flux-2-max', 1_765_843_200, 'FLUX.2 [max]: the best of FLUX.2.'),
  flux('flux-2-flex', 1_764_028_800, 'FLUX.2 [flex]: with guidance and steps of your own.'),
  flux('flux-2-klein-4b', 1_768_435_200, 'FLUX.2 [klein] 4B: small and quick.'),
  flux('flux-2-klein-9b', 1_768_435_200, 'FLUX.2 [klein] 9B: small and quick.'),
  flux('flux-3-image', 1_790_812_800, 'FLUX 3: up to ten input pictures.'),
]
