/** How processes know that one of them has died. */
import { z } from 'zod'
import { wholeNumber } from '../lib/setting.ts'

const deadError = 'at least four times heartbeat_ms, so that one slow answer of the database ends nobody'

export const taskSettings = z
  .strictObject({
    /** How often a process says that it lives. */
    heartbeat_ms: wholeNumber({ min: 50, max: 60_000 }).default(3_000),
    /** After so long a silence its tasks are taken over, or ended. */
    dead_after_ms: wholeNumber({ min: 200, max: 600_000 }).default(15_000),
  })
  .refine((lease) => lease.dead_after_ms >= 4 * lease.heartbeat_ms, {
    path: ['dead_after_ms'],
    error: deadError,
  })
