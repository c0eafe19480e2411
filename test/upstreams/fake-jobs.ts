/** The work that a fake vendor has accepted and finishes later. */
import { randomUUID } from 'node:crypto'

export interface FakeJob<Work> {
  id: string
  work: Work
  /** Finished work keeps its state; canceled work is never finished. */
  state: 'under way' | 'done' | 'canceled'
}

export interface FakeJobs<Work> {
  /** Accepts work; `held` keeps it unfinished until `release`. */
  accept(work: Work, options?: { held?: boolean; id?: string }): FakeJob<Work>
  get(id: string): FakeJob<Work> | undefined
  /** Stops work that is not finished; answers whether it did. */
  cancel(id: string): boolean
  /** Everything that was held back may be finished now. */
  release(): void
  /** How often `cancel` was called. */
  cancellations(): number
}

/** `durationMs` is how long work takes, from its acceptance. */
export function createFakeJobs<Work>(options: { durationMs?: number } = {}): FakeJobs<Work> {
  const jobs = new Map<string, FakeJob<Work> & { acceptedAtMs: number; held: boolean }>()
  let cancellations = 0
  return {
    accept(work, { held = false, id = randomUUID() } = {}) {
      const job = { id, work, state: 'under way' as const, acceptedAtMs: performance.now(), held }
      jobs.set(id, job)
      return job
    },
    get(id) {
      const job = jobs.get(id)
      const isDue = job && performance.now() - job.acceptedAtMs >= (options.durationMs ?? 0)
      if (job?.state === 'under way' && isDue && !job.held) job.state = 'done'
      return job
    },
    cancel(id) {
      cancellations += 1
      const job = this.get(id)
      if (job?.state !== 'under way') return false
      job.state = 'canceled'
      return true
    },
    release() {
      for (const job of jobs.values()) job.held = false
    },
    cancellations: () => cancellations,
  }
}
