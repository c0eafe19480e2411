/** What the operator may say of a key. */
import { z } from 'zod'
import type { ResolveModel } from '../../../../keys/check-default-model.ts'
import { scopes } from '../../../../keys/scopes.ts'
import type { KeyChange } from '../../../../keys/update-key.ts'
import { defaultsField, flagField, limitsOf, nameField, optionalLimits } from '../setting-fields.ts'

const scopesError = `a list of ${scopes.join(', ')}, with at least one of them`
const modelsError = 'a list of 1 to 200 ids of models, or null for all'
const modelError = 'the id or alias of a model'
const expiryError = 'Unix seconds, or null for never'

export const keyFields = {
  name: nameField,
  scopes: z
    .array(z.enum(scopes, { error: `one of ${scopes.join(', ')}` }), { error: scopesError })
    .min(1, { error: scopesError })
    .max(20, { error: scopesError })
    .transform((list) => [...new Set(list)])
    .optional()
    .describe('Default: images:write and images:read. `admin` is the operator and includes the others.'),
  models: z
    .array(z.string({ error: modelError }).min(1, { error: modelError }).max(200, { error: modelError }), {
      error: modelsError,
    })
    .min(1, { error: modelsError })
    .max(200, { error: modelsError })
    .nullish()
    .describe('The only models that it may use, by id or alias; null: all.'),
  ...optionalLimits,
  defaults: defaultsField.describe(
    'What it fills in where its caller is silent: all of it, nothing is merged.',
  ),
  prompt_in_metadata: flagField.optional().describe('Write the prompt into the files of its pictures.'),
  expires_at: z
    .int({ error: expiryError })
    .min(0, { error: expiryError })
    .max(253_402_300_799, { error: expiryError })
    .nullish()
    .describe('Unix seconds from which it is refused; null: never.'),
}

const body = z.strictObject(keyFields).partial()

/** In the words of the verbs, models by their ids. */
export function settingsOf(
  fields: z.output<typeof body>,
  resolveModel: ResolveModel,
): Omit<KeyChange, 'disabled'> {
  const { expires_at: expires, models } = fields
  return {
    ...limitsOf(fields),
    name: fields.name,
    scopes: fields.scopes,
    models: models && [...new Set(models.map(resolveModel))],
    defaults: fields.defaults,
    promptInMetadata: fields.prompt_in_metadata,
    expiresAt: typeof expires === 'number' ? new Date(expires * 1_000) : expires,
  }
}
