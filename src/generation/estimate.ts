/** A dry run: the same checks and the same price as the real thing, with nobody called and nothing written. */
import type { Caller } from '../keys/authenticate.ts'
import type { Warning } from '../models/map-fields.ts'
import type { PriceComponent } from '../pricing/priced-work.ts'
import type { TaskCost } from '../tasks/task.ts'
import { type AdmitDependencies, previewPayer } from './admit.ts'
import type { RouteDependencies } from './choose-route.ts'
import { plan } from './plan.ts'
import type { GenerationRequest } from './request.ts'

export interface Estimate {
  /** The most that it can cost the account. */
  cost: TaskCost & {
    /** What the price list makes of it, whoever pays. */
    components?: readonly PriceComponent[]
  }
  warnings: readonly Warning[]
}

/** What the request would cost and be warned of. Throws what the request itself would be refused with. */
export async function estimate(
  dependencies: RouteDependencies & Pick<AdmitDependencies, 'db' | 'clock' | 'defaultFreeImages'>,
  caller: Caller,
  request: GenerationRequest,
): Promise<Estimate> {
  const { plan: chosen, source } = await previewPayer(
    dependencies,
    caller,
    plan(dependencies, caller, request),
  )
  const { mapped, watched, pricing } = chosen
  return {
    cost: { ...costOf(source, pricing?.quote.micros), components: pricing?.quote.components },
    warnings: [...request.warnings, ...mapped.warnings, ...watched.warnings],
  }
}

function costOf(source: TaskCost['source'], quotedMicros: number | undefined): TaskCost {
  if (source === 'free' || source === 'user') return { micros: 0, currency: 'USD', source }
  return quotedMicros === undefined
    ? { micros: null, currency: 'USD', source, unpriced: true }
    : { micros: quotedMicros, currency: 'USD', source }
}
