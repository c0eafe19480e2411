/** `POST /api/v1/images/generations`: pictures into buckets, under links that stay. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { AdmissionError } from '../../../generation/refusals.ts'
import { epochSeconds } from '../../../lib/clock.ts'
import type { QuotaState } from '../../../tasks/admit-task.ts'
import type { FreeQuota } from '../../../tasks/free-quota.ts'
import type { Task } from '../../../tasks/task.ts'
import { callerOf } from '../../auth.ts'
import { type DrawDependencies, type Drawing, draw } from '../../drawing/draw.ts'
import { fillIn } from '../../drawing/drawing-body.ts'
import { readInputSources } from '../../drawing/input-sources.ts'
import { toGenerationRequest } from '../../drawing/to-request.ts'
import { toHttpError } from '../../errors.ts'
import { repetitionHeaders } from '../../idempotency/headers.ts'
import { readRepetition } from '../../idempotency/read-repetition.ts'
import { parseBody } from '../../parse.ts'
import { permanentPath } from '../../permanent-images.ts'
import { type Preferences, readPreferences } from '../../prefer.ts'
import { errorResponses } from '../../schemas.ts'
import { uploadsOf } from '../../uploads.ts'
import { generateAnswer, generateBody, quotaExceededAnswer } from './generate-schema.ts'

export interface GenerateIntoBucketDependencies extends DrawDependencies {
  /** Where the account stands against its free pictures. */
  getFreeQuota(accountId: string): Promise<FreeQuota>
  publicUrl(): string
}

const dayMs = 24 * 3_600_000

export function generateIntoBucket(
  server: FastifyInstance,
  dependencies: GenerateIntoBucketDependencies,
): void {
  server.post(
    '/api/v1/images/generations',
    {
      config: { access: 'images:write' },
      schema: {
        operationId: 'generateIntoBucket',
        summary: 'Generate an image into a bucket',
        description:
          'Makes a PNG from a prompt, or from pictures and a prompt, and keeps it under a link that does not expire. A request that is sent again with the same `Idempotency-Key` header is made once.',
        tags: ['Buckets'],
        headers: repetitionHeaders,
        body: generateBody,
        response: { 200: generateAnswer, 429: quotaExceededAnswer, ...errorResponses },
      },
    },
    async (request, reply) => {
      const preferences = readPreferences(request.headers.prefer)
      // In a function of its own: what waits for the drawing must not hold the body's pictures.
      const drawing = await readDrawing(dependencies, request, preferences)
      const drawn = await draw(dependencies, { request, reply }, drawing).catch((error: unknown) => {
        if (error instanceof AdmissionError && error.quota) return error
        throw error
      })
      if (drawn instanceof Error) {
        const { status, headers, body } = toHttpError(drawn, request.id)
        return reply
          .code(status)
          .headers(headers)
          .send({ ...body, rate_limit: drawn.quota && presentRateLimit(remaining(drawn.quota)) })
      }
      const { task, pictures } = drawn
      if (preferences.applied) reply.header('preference-applied', preferences.applied)
      const { result } = task
      const completedAt = task.completedAt ?? task.createdAt
      return {
        created_at: epochSeconds(completedAt),
        model: task.model,
        quality: result.quality ?? null,
        prompt: result.prompt_optimization?.optimized ?? drawing.request.prompt,
        bucket: result.bucket ?? 'default',
        size: result.size,
        key_source: result.cost.source === 'unmetered' ? 'free' : result.cost.source,
        completion_ms: completionMs(task),
        rate_limit: presentRateLimit(
          // The pictures are made: a count that cannot be had must not fail the answer.
          await dependencies
            .getFreeQuota(task.accountId)
            .catch(() => uncounted(pictures.length, completedAt)),
        ),
        data: pictures.map((picture) => ({ url: `${dependencies.publicUrl()}${permanentPath(picture)}` })),
        prompt_optimization: result.prompt_optimization,
        ...(result.warnings.length > 0 ? { warnings: result.warnings } : {}),
      }
    },
  )
}

async function readDrawing(
  dependencies: GenerateIntoBucketDependencies,
  request: FastifyRequest,
  { handling, waits }: Preferences,
): Promise<Drawing> {
  const { value, warnings } = parseBody(generateBody, request.body, handling)
  const { prompt, image, ...own } = value
  const { body, defaulted } = fillIn(own, callerOf(request).defaults)
  for (const name of ['quality', 'size'] as const) if (body[name] === undefined) defaulted.add(name)
  const drawing = toGenerationRequest({
    body: {
      ...body,
      quality: body.quality ?? 'low',
      // Clients of this door know no other size, also of an edit.
      size: body.size ?? '1024x1024',
      bucket: body.bucket ?? 'default',
      // The pictures are PNG files, because their links say so; a compression can only be the key's.
      output_format: 'png',
      output_compression: undefined,
    },
    prompt,
    images: await readInputSources(image, 'image', {
      maxImages: dependencies.uploads.maxImages,
      uploads: uploadsOf(request),
    }),
    handling,
    warnings,
    defaulted,
    permanentLinks: true,
  })
  const repetition = await readRepetition(dependencies, request, { body: request.body, handling })
  return { request: drawing, repetition, waits }
}

/** By the task, so that a repetition is told the same; no work takes no time at all. */
function completionMs({ createdAt, completedAt }: Task): number {
  return Math.max(1, (completedAt ?? createdAt).getTime() - createdAt.getTime())
}

/** As it stood when the request was refused. */
function remaining({ limit, used, atWork, nextAvailableAt }: QuotaState): FreeQuota {
  return { limit, used, remaining: Math.max(0, limit - used - atWork), nextAvailableAt }
}

/** What is known without asking the database. */
function uncounted(pictures: number, completedAt: Date): FreeQuota {
  const nextAvailableAt = new Date(completedAt.getTime() + dayMs)
  return { limit: null, used: pictures, remaining: null, nextAvailableAt }
}

function presentRateLimit({ limit, used, remaining, nextAvailableAt }: FreeQuota) {
  return {
    limit,
    used,
    remaining,
    next_available_at: nextAvailableAt && epochSeconds(nextAvailableAt),
  }
}
