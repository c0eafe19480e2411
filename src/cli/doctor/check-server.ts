/** Does a server run here, and can it do its work? */
import type { Config } from '../../config/config.ts'
import { findRunningServer, whyNotReady } from '../running-server.ts'
import { type Finding, fail, pass, warn } from './finding.ts'

/** Asks the running server whether it is ready. */
export async function checkServer(config: Config): Promise<Finding> {
  const url = await findRunningServer(config)
  if (url === undefined) return warn('server', 'none runs here; `gesso serve` starts one')
  const reasons = await whyNotReady(url)
  return reasons.length === 0
    ? pass('server', `${url} is ready`)
    : fail('server', `${url} is not ready: ${reasons.join('; ')}`)
}
