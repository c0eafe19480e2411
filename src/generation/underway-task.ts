/** A task that is being worked on, as far as its end needs to know it. */
import type { StoredRequest, TaskMode } from '../tasks/task.ts'

export interface UnderwayTask {
  id: string
  accountId: string
  mode: TaskMode
  request: StoredRequest
  createdAt: Date
}
