/** The header by which a request is known again, as `/openapi.json` tells of it; `read-repetition.ts` reads it. */
import { z } from 'zod'

export const repetitionHeaders = z.object({
  'idempotency-key': z
    .string()
    .min(1)
    .max(255)
    .optional()
    .describe(
      'Printable ASCII, plain or in quotation marks. The same key and request get the answer of the first within 24 hours, and nothing is made or paid twice; another request under it is a 409.',
    ),
})
