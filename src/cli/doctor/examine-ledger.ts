/** What the check of the ledger found, in words that name the accounts. */
import type { Discrepancy } from '../../ledger/check-ledger.ts'
import { type Finding, fail, pass } from './finding.ts'

/** More would not be read. */
const mostShown = 20

/** Good only where nothing disagrees. */
export function examineLedger(discrepancies: readonly Discrepancy[]): Finding {
  if (discrepancies.length === 0) return pass('ledger', 'every balance is the sum of its entries')
  const shown = discrepancies
    .slice(0, mostShown)
    .map(({ accountId, message }) => `account ${accountId}: ${message}`)
  const more = discrepancies.length - shown.length
  return fail('ledger', [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join('; '))
}
