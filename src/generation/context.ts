/** Who asks for a generation, and how the one who asked hears of it. */
import type { Caller } from '../keys/authenticate.ts'
import type { RateState, Repetition } from '../tasks/admit-task.ts'
import type { ShownPartial } from './show-partials.ts'

/** A task that exists, and where its key stands. */
export interface Admitted {
  taskId: string
  rate: RateState
  /** It is the task of an earlier request, which this one repeats. */
  repeated?: true
}

export interface GenerateContext {
  caller: Caller
  requestId: string
  /** By what a repetition of this request is known; absent where none can be recognised. */
  repetition?: Repetition
  /** Does a repetition wait for the end of the work that it repeats? Else it is told where to find it. */
  waits: boolean
  /** Told as soon as the task exists, so that also the answer of a failure can name it. */
  onAdmitted(admitted: Admitted): void
  /** Shown unfinished pictures, where the caller watches. Must not throw. */
  onPartial?(partial: ShownPartial): void
}
