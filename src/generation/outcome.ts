/** What a generation came to, before any door gives it its own shape. */
import type { Task } from '../tasks/task.ts'
import type { KeptPicture } from './store-pictures.ts'

export interface Outcome {
  task: Task
  pictures: readonly KeptPicture[]
  /** The request has been made before, and this is what came of it then. */
  replayed?: true
}

/** The request has been made before; its task is to be waited for. */
export interface Repeated {
  repeats: string
}
