/** Which PostgreSQL holds the rows: yours (`url`) or, where it is absent, the one Gesso runs itself. */
import { z } from 'zod'
import { secret, wholeNumber } from '../lib/setting.ts'

export const databaseSettings = z.strictObject({
  url: secret({ expected: 'a PostgreSQL URL such as postgres://user:password@host/database' })
    .refine((url) => /^postgres(ql)?:\/\//.test(url.reveal()), {
      error: 'a PostgreSQL URL such as postgres://user:password@host/database',
    })
    .optional(),
  /** Connections this process may hold. */
  pool_size: wholeNumber({ min: 2, max: 500 }).default(10),
})

export type DatabaseSettings = z.infer<typeof databaseSettings>
