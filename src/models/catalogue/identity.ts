/** What a model is, whoever serves it. */
import type { Model, ModelRoute } from '../model.ts'

export type Identity = Omit<Model, 'routes'>

/** The routes of one provider, by the id of the model they serve. */
export type RouteTable = Readonly<Record<string, ModelRoute>>
