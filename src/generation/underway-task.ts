/** A task that is being worked on, as far as its end needs to know it. */
import type { CostSource, StoredRequest, TaskMode } from '../tasks/task.ts'

/** Who pays for a task, as admission decided it. */
export interface Funding {
  source: CostSource
  /** Held of the account's credit, in micro-USD; no charge is higher. */
  reservedMicros: number
  /** The most it can cost by the price list; null where it has no price. */
  quotedMicros: number | null
}

export interface UnderwayTask {
  id: string
  accountId: string
  mode: TaskMode
  request: StoredRequest
  createdAt: Date
  funding: Funding
}
