/** A dry run: the same checks and the same price as the real thing, with nobody called and nothing written. */
import { mapFields, type Warning } from '../models/map-fields.ts'
import type { TaskCost } from '../tasks/task.ts'
import { checkPrompt } from './check-prompt.ts'
import { checkStrict } from './check-strict.ts'
import { chooseRoute, type RouteDependencies, served } from './choose-route.ts'
import { planWatching } from './plan-watching.ts'
import { unmeteredCost } from './prepare-result.ts'
import { askedFields, type GenerationRequest } from './request.ts'

export interface Estimate {
  cost: TaskCost
  warnings: readonly Warning[]
}

/** What the request would cost and be warned of. Throws what the request itself would be refused with. */
export function estimate(dependencies: RouteDependencies, request: GenerationRequest): Estimate {
  const named = dependencies.catalogue.resolve(request.model)
  const model = served(dependencies.providers, named)
  checkStrict(request)
  checkPrompt(model, request.prompt)
  const { warnings } = mapFields(model, askedFields(request), request)
  const watched = planWatching(model, request)
  chooseRoute(dependencies, named)
  return { cost: unmeteredCost, warnings: [...request.warnings, ...warnings, ...watched.warnings] }
}
