/**
 * What Gesso reads of the answers of Black Forest Labs. A field that is odd in any way counts as absent; only work
 * without an id, and a picture that cannot be found, are errors.
 */
import { z } from 'zod'
import { text } from '../wire-values.ts'

const shortText = text(500)
/** Nothing costs a thousand USD. */
const credits = z.number().min(0).max(100_000).optional().catch(undefined)
const micros = z.int().min(0).max(1_000_000_000).optional().catch(undefined)
/** Not cut, because an address with its end missing leads elsewhere. */
const address = z.string().max(4_000).optional().catch(undefined)
const workId = z.string().min(1).max(200)

/** To a submission. With a webhook there may be no `polling_url`. */
export const wireAccepted = z.object({ id: workId, polling_url: address, cost: credits })

/** To a question. `cost` is in credits; `state` is what older answers call the status. */
export const wireResult = z.object({
  status: shortText,
  state: shortText,
  result: z
    .object({ sample: address, seed: z.int().min(0).optional().catch(undefined) })
    .optional()
    .catch(undefined),
  progress: z.number().min(0).max(1).optional().catch(undefined),
  cost: credits,
})

/** A message to a webhook, of which only the id is believed. */
export const wireMessage = z.union([
  z.object({ id: workId }),
  z.object({ task_id: workId }).transform(({ task_id }) => ({ id: task_id })),
])

/** The reasons of a failure, wherever they stand: `detail` of FastAPI, `error` and `message`, `details` of a result. */
export const wireFailure = z.object({
  detail: z.unknown().optional(),
  details: z.unknown().optional(),
  error: z.unknown().optional(),
  message: z.unknown().optional(),
})

/** One entry of FastAPI's `detail`. Its `input`, a piece of the request, is not read. */
export const wireComplaint = z.object({
  loc: z
    .array(z.union([z.string(), z.number()]))
    .default([])
    .catch([]),
  msg: shortText,
  type: shortText,
})

/** What `start` noted down. */
export const operationNote = z.object({
  id: z.string(),
  pollingUrl: address,
  costMicros: micros,
})
