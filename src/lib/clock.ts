/**
 * Time as a dependency, so that tests can move it. Everything that decides by the hour asks a clock;
 * only durations of real waiting (timeouts, heartbeats) use timers.
 */

export interface Clock {
  /** The current time. */
  now(): Date
}

/** The machine's own clock. */
export const systemClock: Clock = { now: () => new Date() }

/** Whole seconds since 1970, as OpenAI's `created` fields carry them. */
export function epochSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000)
}
