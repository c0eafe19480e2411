/** Qwen-Image and Z-Image by Alibaba. */
import type { Identity } from './identity.ts'

function qwen(id: string, created: number, description: string, aliases: readonly string[] = []): Identity {
  return { id, aliases, ownedBy: 'alibaba', created, description }
}

export const qwenModels: readonly Identity[] = [
  qwen('qwen-image', 1_754_265_600, 'Qwen-Image: strong at text in pictures.'),
  qwen('qwen-image-plus', 1_758_585_600, 'Qwen-Image Plus.'),
  qwen('qwen-image-max', 1_767_139_200, 'Qwen-Image Max.'),
  qwen('qwen-image-2.0', 1_770_681_600, 'Qwen-Image 2.0: generations, and edits of up to three pictures.'),
  qwen('qwen-image-2.0-pro', 1_770_681_600, 'Qwen-Image 2.0 Pro: the better Qwen-Image 2.0.'),
  qwen('qwen-image-2.1-lora', 1_780_272_000, 'Qwen-Image 2.1 with LoRA weights.'),
  qwen('qwen-image-3.0', 1_789_430_400, 'Qwen-Image 3.0.'),
  qwen('qwen-image-edit', 1_755_475_200, 'Qwen-Image-Edit: changes a picture as the prompt says.'),
  qwen('qwen-image-edit-plus', 1_761_782_400, 'Qwen-Image-Edit Plus: edits of up to three pictures.'),
  qwen('qwen-image-edit-max', 1_768_521_600, 'Qwen-Image-Edit Max: edits of up to three pictures.'),
  qwen('z-image-turbo', 1_764_115_200, 'Z-Image-Turbo: quick previews.'),
]
