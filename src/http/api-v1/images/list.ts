/** `GET /api/v1/images/generations`: what is in a bucket, newest first. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { ImageUrls } from '../../../images/image-url.ts'
import type { BucketPage } from '../../../images/list-bucket.ts'
import { epochSeconds } from '../../../lib/clock.ts'
import { callerOf } from '../../auth.ts'
import { bucketOf } from '../../drawing/to-request.ts'
import { parseQuery } from '../../parse.ts'
import { permanentPath } from '../../permanent-images.ts'
import { errorResponses } from '../../schemas.ts'

export interface ListBucketDependencies {
  listBucket(input: { accountId: string; name: string; limit: number; before?: number }): Promise<BucketPage>
  imageUrls: ImageUrls
  publicUrl(): string
}

function wholeText(min: number, max: number) {
  const error = `a whole number from ${min} to ${max}`
  return z
    .string({ error })
    .regex(/^\d{1,12}$/, { error })
    .transform(Number)
    .refine((value) => value >= min && value <= max, { error })
}

const labelError = 'one text of at most 500 characters'

const query = z.strictObject({
  bucket: z
    .string({ error: labelError })
    .max(500, { error: labelError })
    .optional()
    .describe('A label; default `default`.'),
  limit: wholeText(1, 100).optional().describe('1 to 100, default 50.'),
  before: wholeText(0, 253_402_300_799).optional().describe('Unix seconds: pictures made before it.'),
})

const listAnswer = z
  .object({
    bucket: z.string(),
    bucket_id: z.string().nullable(),
    is_public: z.boolean(),
    bucket_link: z.url().nullable(),
    limit: z.int(),
    count: z.int().describe('May exceed the limit by pictures of the same second.'),
    next_before: z.int().nullable().describe('Ask for it as `before` to go on; null at the end.'),
    data: z.array(
      z.object({
        id: z.string(),
        url: z.url(),
        prompt: z.string(),
        bucket: z.string(),
        created_at: z.int(),
      }),
    ),
  })
  .meta({ id: 'BucketPage' })

export function listBucket(server: FastifyInstance, dependencies: ListBucketDependencies): void {
  server.get(
    '/api/v1/images/generations',
    {
      config: { access: 'images:read' },
      schema: {
        operationId: 'listBucket',
        summary: 'List the images of a bucket',
        description: 'Newest first, in pages by time.',
        tags: ['Buckets'],
        querystring: query,
        response: { 200: listAnswer, ...errorResponses },
      },
    },
    async (request, reply) => {
      const { bucket, limit = 50, before } = parseQuery(query, request.query)
      const name = bucketOf(bucket) ?? 'default'
      const page = await dependencies.listBucket({
        accountId: callerOf(request).accountId,
        name,
        limit,
        before,
      })
      reply.header('cache-control', 'no-store')
      return {
        bucket: name,
        bucket_id: page.bucket?.id ?? null,
        is_public: page.bucket?.isPublic ?? false,
        bucket_link: null,
        limit,
        count: page.images.length,
        next_before: page.nextBefore,
        data: page.images.map((image) => ({
          id: image.id,
          url: image.permanentLink
            ? `${dependencies.publicUrl()}${permanentPath(image)}`
            : dependencies.imageUrls.sign(image).url,
          prompt: image.prompt,
          bucket: name,
          created_at: epochSeconds(image.createdAt),
        })),
      }
    },
  )
}
