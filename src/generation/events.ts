/** The business facts of a generation, told once each. Telemetry decides what becomes of them. */

export interface RunEvents {
  /** The provider answered, or failed. Never carries a prompt, a key or bytes. */
  providerAnswered(fact: {
    taskId: string
    provider: string
    upstreamModel: string
    durationMs: number
    error?: unknown
  }): void
  /** The note of accepted work could not be kept; it is followed in memory only. */
  operationNotKept(fact: { taskId: string; error: unknown }): void
}

export interface FinishEvents {
  /** A task ended, one way or the other. */
  taskEnded(fact: {
    taskId: string
    status: 'SUCCEEDED' | 'FAILED'
    /** Pictures delivered. */
    images: number
    durationMs: number
    /** Why it failed; absent where it did not. */
    error?: unknown
  }): void
}
