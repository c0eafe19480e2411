/** What a generation came to, before any door gives it its own shape. */
import type { Task } from '../tasks/task.ts'
import type { KeptPicture } from './store-pictures.ts'

export interface Outcome {
  task: Task
  pictures: readonly KeptPicture[]
}
