/** `POST /api/v1/images/generations`: pictures into buckets, under links that stay. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { GenerationRequest } from '../../../generation/request.ts'
import type { RecentImages } from '../../../images/count-recent.ts'
import { epochSeconds } from '../../../lib/clock.ts'
import type { Handling } from '../../../models/map-fields.ts'
import { callerOf } from '../../auth.ts'
import { type DrawDependencies, draw, refuseIdempotencyKey } from '../../drawing/draw.ts'
import { fillIn } from '../../drawing/drawing-body.ts'
import { readInputSources } from '../../drawing/input-sources.ts'
import { toGenerationRequest } from '../../drawing/to-request.ts'
import { parseBody } from '../../parse.ts'
import { permanentPath } from '../../permanent-images.ts'
import { readPreferences } from '../../prefer.ts'
import { errorResponses } from '../../schemas.ts'
import { uploadsOf } from '../../uploads.ts'
import { generateAnswer, generateBody } from './generate-schema.ts'

export interface GenerateIntoBucketDependencies extends DrawDependencies {
  /** The account's pictures of the last day. */
  countRecentImages(accountId: string): Promise<RecentImages>
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
          'Makes a PNG from a prompt, or from pictures and a prompt, and keeps it under a link that does not expire.',
        tags: ['Buckets'],
        body: generateBody,
        response: { 200: generateAnswer, ...errorResponses },
      },
    },
    async (request, reply) => {
      const startedMs = performance.now()
      refuseIdempotencyKey(request)
      const { handling, applied } = readPreferences(request.headers.prefer)
      // In a function of its own: what waits for the drawing must not hold the body's pictures.
      const drawing = await readDrawing(dependencies, request, handling)
      const { task, pictures } = await draw(dependencies, { request, reply }, drawing)
      if (applied) reply.header('preference-applied', applied)
      const { result } = task
      const completedAt = task.completedAt ?? task.createdAt
      return {
        created_at: epochSeconds(completedAt),
        model: task.model,
        quality: result.quality ?? null,
        prompt: result.prompt_optimization?.optimized ?? drawing.prompt,
        bucket: result.bucket ?? 'default',
        size: result.size,
        key_source: 'free',
        completion_ms: Math.round(performance.now() - startedMs),
        rate_limit: presentRateLimit(
          // The pictures are made: a count that cannot be had must not fail the answer.
          await dependencies
            .countRecentImages(task.accountId)
            .catch(() => ({ count: pictures.length, oldestAt: completedAt })),
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
  handling: Handling,
): Promise<GenerationRequest> {
  const { value, warnings } = parseBody(generateBody, request.body, handling)
  const { prompt, image, ...own } = value
  const { body, defaulted } = fillIn(own, callerOf(request).defaults)
  for (const name of ['quality', 'size'] as const) if (body[name] === undefined) defaulted.add(name)
  return toGenerationRequest({
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
}

/** An account that pays nothing has no limit, and is told what it used. */
function presentRateLimit({ count, oldestAt }: RecentImages) {
  return {
    limit: null,
    used: count,
    remaining: null,
    next_available_at: oldestAt && epochSeconds(new Date(oldestAt.getTime() + dayMs)),
  }
}
