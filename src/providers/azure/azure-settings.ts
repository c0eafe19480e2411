/** What only Azure OpenAI is told: which deployment serves a model, and which version of the API is spoken. */
import { z } from 'zod'
import { text } from '../../lib/setting.ts'

const apiVersionExpected = 'a version such as 2025-04-01-preview; v1 or preview; or nothing'

/** Under `providers.azure` in `gesso.yaml`. */
export const azureOptions = {
  /** The deployments by the model that they serve; a model that is not named has a deployment of its own name. */
  deployments: z
    .record(z.string(), text("a deployment's name"), { error: "deployments' names by model" })
    .default({}),
  /** Absent means the v1 API, which has no dated versions. */
  api_version: z
    .string({ error: apiVersionExpected })
    .regex(/^(\d{4}-\d{2}-\d{2}(-preview)?|v1|preview|latest)$/, { error: apiVersionExpected })
    .optional(),
}

export const azureSettings = z.object(azureOptions)
