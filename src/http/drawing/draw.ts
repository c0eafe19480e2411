/**
 * What every front door does with the one internal request: has it drawn, says in headers where the caller stands, and
 * lets go of what was uploaded when the work has ended, which may be after the caller has left.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { RateLimitError } from '../../generation/admit.ts'
import type { GenerateContext } from '../../generation/context.ts'
import type { Estimate } from '../../generation/estimate.ts'
import type { Outcome } from '../../generation/outcome.ts'
import type { GenerationRequest } from '../../generation/request.ts'
import { badRequest } from '../../lib/errors.ts'
import type { RateState } from '../../tasks/admit-task.ts'
import type { Task, TaskResult } from '../../tasks/task.ts'
import { callerOf } from '../auth.ts'
import { takeUploads } from '../uploads.ts'

export interface DrawDependencies {
  generate(context: GenerateContext, request: GenerationRequest): Promise<Outcome>
  estimate(request: GenerationRequest): Estimate
  /** Bounds of the input pictures of one request. */
  uploads: { maxImages: number }
}

/** A task that has ended well. */
export type DrawnTask = Task & { result: TaskResult }

/** Told while the work goes on. Must not throw. */
export interface Watcher {
  /** The task exists, and the headers that tell of it are set. */
  onAdmitted(): void
  onPartial: GenerateContext['onPartial']
}

/** Draws, and sets the headers of the answer, also of an error. */
export async function draw(
  dependencies: Pick<DrawDependencies, 'generate'>,
  { request, reply }: { request: FastifyRequest; reply: FastifyReply },
  drawing: GenerationRequest,
  watcher?: Watcher,
): Promise<{ task: DrawnTask; pictures: Outcome['pictures'] }> {
  await using _uploads = takeUploads(request)
  // What was sent beside the known fields must not stay in memory while the pictures are made.
  request.body = undefined
  const context: GenerateContext = {
    caller: callerOf(request),
    requestId: request.id,
    onPartial: watcher?.onPartial,
    onAdmitted: ({ taskId, rate }) => {
      reply.header('x-gesso-task-id', taskId)
      setRateHeaders(reply, rate)
      watcher?.onAdmitted()
    },
  }
  const outcome = await dependencies.generate(context, drawing).catch((error) => {
    if (error instanceof RateLimitError) setRateHeaders(reply, error.rate)
    throw error
  })
  const task = outcome.task as DrawnTask
  // Of a stream that has begun, the head is on its way.
  if (!reply.sent) reply.header('x-gesso-cost-micros', task.result.cost.micros)
  return { task, pictures: outcome.pictures }
}

/** Ignoring the header could make its sender pay twice in good faith. */
export function refuseIdempotencyKey(request: FastifyRequest): void {
  if (request.headers['idempotency-key'] === undefined) return
  throw badRequest(
    'Idempotency-Key',
    'The Idempotency-Key header is not supported by this version of Gesso; send the request without it.',
    'unsupported_parameter',
  )
}

function setRateHeaders(reply: FastifyReply, rate: RateState): void {
  reply.header('x-ratelimit-limit-requests', rate.limit)
  reply.header('x-ratelimit-remaining-requests', rate.remaining)
  reply.header('x-ratelimit-reset-requests', `${Math.ceil(rate.resetMs / 100) / 10}s`)
}
