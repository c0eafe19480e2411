/** Who asks for a generation, and how the one who asked hears of it. */
import type { Caller } from '../keys/authenticate.ts'
import type { RateState } from '../tasks/admit-task.ts'
import type { ShownPartial } from './show-partials.ts'

/** A task that exists, and where its key stands. */
export interface Admitted {
  taskId: string
  createdAt: Date
  rate: RateState
}

export interface GenerateContext {
  caller: Caller
  requestId: string
  /** Told as soon as the task exists, so that also the answer of a failure can name it. */
  onAdmitted(admitted: Admitted): void
  /** Shown unfinished pictures, where the caller watches. Must not throw. */
  onPartial?(partial: ShownPartial): void
}
