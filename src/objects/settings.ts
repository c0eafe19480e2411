/** Where pictures are kept. Absent means files in the data directory, which is all this version knows. */
import { z } from 'zod'

export const storageSettings = z
  .undefined({ error: 'nothing: this version keeps pictures as files in the data directory only' })
  .optional()
