/**
 * What every front door does with the one internal request: has it drawn, says in headers where the caller stands, and
 * lets go of what was uploaded when the work has ended, which may be after the caller has left.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { GenerateContext } from '../../generation/context.ts'
import type { Estimate } from '../../generation/estimate.ts'
import { LeftUnderWayError } from '../../generation/left-under-way.ts'
import type { Outcome } from '../../generation/outcome.ts'
import { AdmissionError } from '../../generation/refusals.ts'
import type { GenerationRequest } from '../../generation/request.ts'
import type { Caller } from '../../keys/authenticate.ts'
import { GessoError } from '../../lib/errors.ts'
import type { RateState, Repetition } from '../../tasks/admit-task.ts'
import type { Task, TaskResult } from '../../tasks/task.ts'
import { callerOf } from '../auth.ts'
import type { RepetitionDependencies } from '../idempotency/read-repetition.ts'
import { takeUploads } from '../uploads.ts'
import { whenAnswered } from './when-answered.ts'

export interface DrawDependencies extends RepetitionDependencies {
  generate(context: GenerateContext, request: GenerationRequest): Promise<Outcome>
  estimate(caller: Caller, request: GenerationRequest): Promise<Estimate>
  /** The answer that tells how a task ended has left this server whole. Never throws. */
  markAnswered(taskId: string): void
  /** It did, but was not read. Never throws. */
  markUnanswered(taskId: string): void
  /** Bounds of the input pictures of one request. */
  uploads: { maxImages: number }
}

export interface Drawing {
  request: GenerationRequest
  /** By what a repetition of the request is known. */
  repetition: Repetition | undefined
  /** Would the caller of a repetition wait for work that still goes on? */
  waits: boolean
}

/** A task that has ended well. */
export type DrawnTask = Task & { result: TaskResult }

/** Told while the work goes on. Must not throw. */
export interface Watcher {
  /** The task exists, and the headers that tell of it are set. */
  onAdmitted(): void
  onPartial: GenerateContext['onPartial']
}

/** Marks an answer that tells what came of an earlier request. */
const replayedHeader = 'idempotent-replayed'

/** Draws, and sets the headers of the answer, also of an error. */
export async function draw(
  dependencies: Pick<DrawDependencies, 'generate' | 'markAnswered' | 'markUnanswered'>,
  exchange: { request: FastifyRequest; reply: FastifyReply },
  { request: drawing, repetition, waits }: Drawing,
  watcher?: Watcher,
): Promise<{ task: DrawnTask; pictures: Outcome['pictures'] }> {
  const { request, reply } = exchange
  await using uploads = takeUploads(request)
  // What was sent beside the known fields must not stay in memory while the pictures are made.
  request.body = undefined
  let taskId: string | undefined
  const context: GenerateContext = {
    caller: callerOf(request),
    requestId: request.id,
    repetition,
    waits,
    onPartial: watcher?.onPartial,
    onAdmitted: (admitted) => {
      taskId = admitted.taskId
      reply.header('x-gesso-task-id', taskId)
      setRateHeaders(reply, admitted.rate)
      if (admitted.repeated) {
        reply.header(replayedHeader, 'true')
        // Nothing is made of its pictures: they must not wait with it.
        void uploads[Symbol.asyncDispose]()
      }
      watcher?.onAdmitted()
    },
  }
  /** Whoever sends no key of its own is joined only while nobody has got the answer. */
  const answerTells = () => {
    if (taskId === undefined || repetition === undefined || repetition.key !== undefined) return
    const known = taskId
    whenAnswered(exchange, {
      onAnswered: () => dependencies.markAnswered(known),
      onLost: () => dependencies.markUnanswered(known),
    })
  }
  const outcome = await dependencies.generate(context, drawing).catch((error: unknown) => {
    if (error instanceof AdmissionError && error.rate) setRateHeaders(reply, error.rate)
    if (isEndOfTask(error)) answerTells()
    else reply.removeHeader(replayedHeader)
    throw error
  })
  answerTells()
  const task = outcome.task as DrawnTask
  // Of a stream that has begun, the head is on its way.
  const { micros } = task.result.cost
  if (micros !== null && !reply.sent) reply.header('x-gesso-cost-micros', micros)
  return { task, pictures: outcome.pictures }
}

/** The one failure that a retry is told again: others leave nothing that could be joined. */
function isEndOfTask(error: unknown): boolean {
  return (
    error instanceof GessoError && error.code === 'outcome_unknown' && !(error instanceof LeftUnderWayError)
  )
}

function setRateHeaders(reply: FastifyReply, rate: RateState): void {
  reply.header('x-ratelimit-limit-requests', rate.limit)
  reply.header('x-ratelimit-remaining-requests', rate.remaining)
  reply.header('x-ratelimit-reset-requests', `${Math.ceil(rate.resetMs / 100) / 10}s`)
}
