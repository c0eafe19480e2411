/** A note of work for tests: one picture, nothing owed. */
import type { WorkNote } from '../work-note.ts'

export function sampleNote(overrides: Partial<WorkNote> = {}): WorkNote {
  return {
    model: 'gesso-collage',
    isAlgorithmic: true,
    provider: 'collage',
    upstreamModel: 'gesso-collage',
    prompt: 'a fox',
    asked: { n: 1 },
    delivery: { compressesItself: true, scales: false, watermark: false },
    isSeries: false,
    warnings: [],
    permanentLinks: false,
    calls: [{ n: 1 }],
    ...overrides,
  }
}
