/** How much Gesso says on stderr. */
import { z } from 'zod'
import { oneOf } from '../lib/setting.ts'

export const telemetrySettings = z.strictObject({
  log_level: oneOf(['silent', 'error', 'warn', 'info', 'debug']).default('info'),
})

export type TelemetrySettings = z.infer<typeof telemetrySettings>
