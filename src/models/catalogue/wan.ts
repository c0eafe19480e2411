/** Wan by Alibaba. */
import type { Identity } from './identity.ts'

function wan(id: string, created: number, description: string, aliases: readonly string[] = []): Identity {
  return { id, aliases, ownedBy: 'alibaba', created, description }
}

export const wanModels: readonly Identity[] = [
  wan('wan2.7-image-pro', 1_775_001_600, 'Wan 2.7 Image Pro: generations up to 4K, edits, series.'),
  wan('wan2.7-image', 1_775_001_600, 'Wan 2.7 Image: generations, edits, series.'),
  wan('wan2.6-t2i', 1_765_843_200, 'Wan 2.6: generations.'),
  wan('wan2.6-image', 1_765_843_200, 'Wan 2.6 Image: edits of up to four pictures.'),
  wan('wan2.5-t2i-preview', 1_758_585_600, 'Wan 2.5: generations.'),
  wan('wan2.5-i2i-preview', 1_758_585_600, 'Wan 2.5: edits of up to three pictures.'),
]
