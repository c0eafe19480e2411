/**
 * The states of a task and the ways between them. The database holds the same table as a trigger, so that no
 * code path can end a task twice.
 */

export const taskStatuses = ['QUEUED', 'IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'CANCELED'] as const
export type TaskStatus = (typeof taskStatuses)[number]

/** From a state to the states that may follow. A state with none is final. */
export const transitions: Record<TaskStatus, readonly TaskStatus[]> = {
  QUEUED: ['IN_PROGRESS', 'FAILED', 'CANCELED'],
  IN_PROGRESS: ['QUEUED', 'SUCCEEDED', 'FAILED', 'CANCELED'],
  SUCCEEDED: [],
  FAILED: [],
  CANCELED: [],
}
