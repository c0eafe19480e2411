/** `GET /v1/images/generations/{task_id}`: a generation again, by its id, also one whose answer never arrived. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { ImageUrls } from '../../../images/image-url.ts'
import type { StoredImage } from '../../../images/stored-image.ts'
import { epochSeconds } from '../../../lib/clock.ts'
import { GessoError } from '../../../lib/errors.ts'
import { taskStatuses } from '../../../tasks/states.ts'
import type { Task } from '../../../tasks/task.ts'
import { callerOf } from '../../auth.ts'
import { toErrorBody } from '../../errors.ts'
import {
  costSchema,
  errorResponses,
  errorSchema,
  imageEntrySchema,
  promptOptimizationSchema,
  usageSchema,
  warningSchema,
} from '../../schemas.ts'
import { presentAsUrl, presentResult } from './present-images.ts'

export interface GetTaskDependencies {
  getTask(input: { taskId: string; accountId: string }): Promise<{ task: Task; images: StoredImage[] }>
  imageUrls: ImageUrls
  publicUrl(): string
}

const taskAnswer = z
  .object({
    id: z.string(),
    task_id: z.string(),
    object: z.literal('image.generation.task'),
    status: z.enum(taskStatuses),
    created_at: z.int(),
    started_at: z.int().optional(),
    completed_at: z.int().optional(),
    expires_at: z.int().optional().describe('Until when the result is kept at least.'),
    model: z.string(),
    prompt: z.string(),
    size: z.string().optional(),
    quality: z.string().optional(),
    mode: z.enum(['generation', 'edit']),
    metadata: z.record(z.string(), z.string()).optional(),
    urls: z.object({ self: z.url() }),
    result: z
      .object({
        created: z.int(),
        data: z.array(imageEntrySchema),
        usage: usageSchema,
        cost: costSchema,
        bucket: z.string().optional(),
        prompt_optimization: promptOptimizationSchema.optional(),
        warnings: z.array(warningSchema).optional(),
      })
      .optional(),
    error: errorSchema.shape.error.optional(),
  })
  .meta({ id: 'Task' })

export function getTask(server: FastifyInstance, dependencies: GetTaskDependencies): void {
  server.get(
    '/v1/images/generations/:task_id',
    {
      config: { access: 'images:read' },
      schema: {
        operationId: 'getGeneration',
        summary: 'Get a generation by its task id',
        description:
          'A finished generation with freshly signed links, or why it failed. Only the account that made it sees it.',
        tags: ['Images'],
        params: z.object({ task_id: z.string() }),
        response: { 200: taskAnswer, ...errorResponses },
      },
    },
    async (request, reply) => {
      const { task_id: taskId } = request.params as { task_id: string }
      const found = await dependencies.getTask({ taskId, accountId: callerOf(request).accountId })
      reply.header('cache-control', 'no-store')
      return presentTask(found.task, found.images, dependencies)
    },
  )
  refuseTaskList(server)
}

/** The address without an id is no list, and must not be taken for that of a picture called "generations". */
function refuseTaskList(server: FastifyInstance): void {
  server.get('/v1/images/generations', { config: { access: 'public' }, schema: { hide: true } }, () => {
    throw new GessoError({
      code: 'route_not_found',
      attribution: 'client',
      message:
        'There is no GET /v1/images/generations. POST there makes images; GET /v1/images/generations/{task_id} shows a generation.',
    })
  })
}

function presentTask(task: Task, images: readonly StoredImage[], dependencies: GetTaskDependencies) {
  return {
    id: task.id,
    task_id: task.id,
    object: 'image.generation.task',
    status: task.status,
    created_at: epochSeconds(task.createdAt),
    started_at: task.startedAt ? epochSeconds(task.startedAt) : undefined,
    completed_at: task.completedAt ? epochSeconds(task.completedAt) : undefined,
    expires_at: task.expiresAt ? epochSeconds(task.expiresAt) : undefined,
    model: task.model,
    prompt: task.request.prompt,
    // What was used, once that is known: a wish that the model could not honour would be a lie then.
    size: task.result ? task.result.size : task.request.size,
    quality: task.result ? task.result.quality : task.request.quality,
    mode: task.mode,
    metadata: task.request.metadata,
    urls: { self: `${dependencies.publicUrl()}/v1/images/generations/${task.id}` },
    result: task.result
      ? {
          created: epochSeconds(task.completedAt ?? task.createdAt),
          data: images.map((image) => presentAsUrl(image, dependencies.imageUrls)),
          ...presentResult(task.result),
        }
      : undefined,
    error: task.error ? toErrorBody(task.error) : undefined,
  }
}
