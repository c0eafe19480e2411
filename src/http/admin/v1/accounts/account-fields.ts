/** What the operator may say of an account. */
import { z } from 'zod'
import { billings } from '../../../../accounts/account.ts'
import type { NewAccount } from '../../../../accounts/create-account.ts'
import { defaultsField, limitsOf, nameField, optionalLimits } from '../setting-fields.ts'

const freeError = "a whole number from 0 to 1000000, or null for the server's default"

export const accountFields = {
  name: nameField,
  billing: z
    .enum(billings, { error: `one of ${billings.join(', ')}` })
    .optional()
    .describe(
      '`metered`: pays from its free quota, then with its own provider key, then from its credit. `unmetered`: pays nothing, costs are recorded.',
    ),
  ...optionalLimits,
  free_images: z
    .int({ error: freeError })
    .min(0, { error: freeError })
    .max(1_000_000, { error: freeError })
    .nullish(),
  defaults: defaultsField.describe(
    'What is filled in where neither a key nor its caller says anything: all of it, nothing is merged.',
  ),
}

const body = z.strictObject(accountFields).partial()

/** In the words of the verbs. */
export function settingsOf(fields: z.output<typeof body>): Partial<NewAccount> {
  return {
    ...limitsOf(fields),
    name: fields.name,
    billing: fields.billing,
    freeImages: fields.free_images,
    defaults: fields.defaults,
  }
}
