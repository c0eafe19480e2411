/**
 * What a request comes to before anybody is asked for anything: the route, what goes to the provider and in how many calls,
 * and the most that it can cost. The same for the real thing and for a dry run; writes nothing and calls nobody.
 */
import type { Caller } from '../keys/authenticate.ts'
import { GessoError } from '../lib/errors.ts'
import { type MappedFields, mapFields } from '../models/map-fields.ts'
import { type Model, type ServedModel, servedBy } from '../models/model.ts'
import type { TaskMode } from '../tasks/task.ts'
import { checkPrompt } from './check-prompt.ts'
import { checkStrict } from './check-strict.ts'
import { chooseRoutes, type PlannedRoute, type RouteDependencies } from './choose-route.ts'
import { type PlannedCall, planCalls } from './plan-calls.ts'
import { type Pricing, planPricing } from './plan-pricing.ts'
import { type PlannedWatching, planWatching } from './plan-watching.ts'
import { askedFields, type GenerationRequest } from './request.ts'

export interface Plan {
  /** As the route serves it. */
  model: ServedModel
  route: PlannedRoute
  mapped: MappedFields
  watched: PlannedWatching
  calls: readonly PlannedCall[]
  mode: TaskMode
  /** The most pictures that can come. */
  images: number
  /** Absent where the model has no price on this route. */
  pricing?: Pricing
}

/**
 * The plan for the route in use, and after it the one for the account's own key where that goes another way; it may be
 * impossible there. Throws what the request is refused with.
 */
export function plan(
  dependencies: RouteDependencies,
  caller: Caller,
  request: GenerationRequest,
): [Plan, ...(() => Plan)[]] {
  const model = dependencies.catalogue.resolve(request.model)
  checkAllowed(caller, model)
  checkStrict(request)
  const [route, ...others] = chooseRoutes(dependencies, model, caller)
  return [planRoute(model, route, request), ...others.map((other) => () => planRoute(model, other, request))]
}

function planRoute(named: Model, route: PlannedRoute, request: GenerationRequest): Plan {
  const model = servedBy(named, route)
  checkPrompt(model, request.prompt)
  const mapped = mapFields(model, askedFields(request), request)
  const watched = planWatching(model, request)
  const calls = planCalls(mapped.provider, watched.imagesPerCall, model.fields.seed.range)
  const { series, n } = mapped.provider
  const images = series ? (series.maxImages ?? mostOfSeries) : n
  return {
    model,
    route,
    mapped,
    watched,
    calls,
    mode: mapped.sends.images > 0 ? 'edit' : 'generation',
    images,
    pricing: planPricing({ model, request, mapped, watched, calls, images }),
  }
}

/** The longest series that can be asked for. */
const mostOfSeries = 15

/** Throws `model_not_allowed` where the caller's key is for other models. */
export function checkAllowed({ models }: Pick<Caller, 'models'>, model: Model): void {
  if (models === null || models.includes(model.id)) return
  throw modelNotAllowed(model.id, models)
}

/** The caller's key is for other models. */
export function modelNotAllowed(model: string, allowed: readonly string[]): GessoError {
  return new GessoError({
    code: 'model_not_allowed',
    attribution: 'client',
    param: 'model',
    message: `This API key may not use ${model}; it may use ${allowed.slice(0, 50).join(', ') || 'no model'}.`,
  })
}
