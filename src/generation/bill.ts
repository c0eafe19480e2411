/** What a task came to, by what was delivered: for its account, for the operator, and for spend limits. */
import { priceDelivery, reportedCost } from '../pricing/price-delivery.ts'
import type { Delivery } from '../pricing/priced-work.ts'
import type { Bill } from '../tasks/finish-task.ts'
import type { TaskCost } from '../tasks/task.ts'
import type { Funding } from './underway-task.ts'
import type { WorkNote } from './work-note.ts'

/** Credit pays what was reserved at most: what a provider asks beyond that is the operator's. */
export function billWork(
  { source, reservedMicros, quotedMicros }: Funding,
  { pricing }: Pick<WorkNote, 'pricing'>,
  delivery: Delivery,
): { bill: Bill; cost: TaskCost } {
  const told = reportedCost(delivery)
  const { listMicros, providerMicros } = pricing
    ? priceDelivery(pricing.price, pricing.work, delivery)
    : { listMicros: null, providerMicros: told === undefined ? null : Math.ceil(told) }
  const chargedMicros = source === 'credits' ? Math.min(listMicros ?? 0, reservedMicros) : 0
  const spentMicros = source === 'unmetered' ? Math.min(listMicros ?? 0, quotedMicros ?? 0) : chargedMicros
  return {
    bill: { listMicros, providerMicros, chargedMicros, spentMicros },
    cost: costOf(source, { chargedMicros, listMicros }),
  }
}

function costOf(
  source: Funding['source'],
  { chargedMicros, listMicros }: { chargedMicros: number; listMicros: number | null },
): TaskCost {
  if (source !== 'unmetered') return { micros: chargedMicros, currency: 'USD', source }
  return listMicros === null
    ? { micros: null, currency: 'USD', source, unpriced: true }
    : { micros: listMicros, currency: 'USD', source }
}
