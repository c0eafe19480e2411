/**
 * The sum of every capability's settings: the shape of `gesso.yaml`. Each section belongs to the folder that
 * uses it; this file only gives it a name.
 */
import { z } from 'zod'
import { accountSettings } from '../accounts/settings.ts'
import { databaseSettings } from '../db/settings.ts'
import { generationSettings } from '../generation/settings.ts'
import { idempotencySettings } from '../http/idempotency/settings.ts'
import { httpSettings } from '../http/settings.ts'
import { imageSettings } from '../images/settings.ts'
import { inputSettings } from '../inputs/settings.ts'
import { keySettings } from '../keys/settings.ts'
import { ledgerSettings } from '../ledger/settings.ts'
import { secret, text } from '../lib/setting.ts'
import { modelSettings } from '../models/settings.ts'
import { networkSettings } from '../net/settings.ts'
import { storageSettings } from '../objects/settings.ts'
import { checkPricedModels, priceSettings } from '../pricing/settings.ts'
import { optimizerSettings } from '../prompts/settings.ts'
import { providerSettings } from '../providers/settings.ts'
import { taskSettings } from '../tasks/settings.ts'
import { telemetrySettings } from '../telemetry/settings.ts'

export const configSchema = z
  .strictObject({
    /** Embedded PostgreSQL, pictures and secrets live here. */
    data_dir: text('a folder').default('./.gesso'),
    /** Signs URLs and seals stored credentials; generated into the data directory where absent. */
    secret: secret({ minLength: 32 }).optional(),
    /** The secret before this one: it still opens what it sealed, and signs nothing. */
    previous_secret: secret({ minLength: 32 }).optional(),
    /** The first key; generated where absent. */
    admin_key: secret({ minLength: 16 }).optional(),
    server: httpSettings.prefault({}),
    database: databaseSettings
      .refine(({ url }) => url === undefined || isDatabaseUrl(url.reveal()), {
        path: ['url'],
        error:
          'a PostgreSQL URL such as postgres://user:password@host:5432/database, with %-codes for odd characters',
      })
      .prefault({}),
    storage: storageSettings,
    images: imageSettings.prefault({}),
    generation: generationSettings.prefault({}),
    inputs: inputSettings.prefault({}),
    optimizer: optimizerSettings.prefault({}),
    keys: keySettings.prefault({}),
    accounts: accountSettings.prefault({}),
    ledger: ledgerSettings.prefault({}),
    idempotency: idempotencySettings.prefault({}),
    tasks: taskSettings.prefault({}),
    network: networkSettings.prefault({}),
    log: telemetrySettings.prefault({}),
    providers: providerSettings.prefault({}),
    models: modelSettings,
    prices: priceSettings.prefault({}),
  })
  .superRefine(checkPricedModels)

/** Can the driver read it? Without a host (`user@/database?host=/socket`) it is PostgreSQL's own kind of URL. */
function isDatabaseUrl(text: string): boolean {
  return URL.canParse(text) || URL.canParse(text.replace('@/', '@localhost/'))
}

export type Config = z.infer<typeof configSchema>
