/** `GET /v1/images/{image_id}`: what is known of a picture, with a freshly signed link. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { ImageWithOrigin } from '../../../images/get-image.ts'
import type { ImageUrls } from '../../../images/image-url.ts'
import { epochSeconds } from '../../../lib/clock.ts'
import { callerOf } from '../../auth.ts'
import { errorResponses } from '../../schemas.ts'

export interface GetImageDependencies {
  getImage(input: { imageId: string; accountId: string }): Promise<ImageWithOrigin>
  imageUrls: ImageUrls
}

const imageAnswer = z
  .object({
    id: z.string(),
    object: z.literal('image'),
    image_id: z.string(),
    task_id: z.string(),
    created_at: z.int(),
    model: z.string(),
    prompt: z.string(),
    revised_prompt: z.string().optional(),
    seed: z.int().optional(),
    width: z.int(),
    height: z.int(),
    format: z.string(),
    size_bytes: z.int(),
    url: z.url(),
    url_expires_at: z.int(),
  })
  .meta({ id: 'Image' })

export function getImage(server: FastifyInstance, dependencies: GetImageDependencies): void {
  server.get(
    '/v1/images/:image_id',
    {
      config: { access: 'images:read' },
      schema: {
        operationId: 'getImage',
        summary: 'Get an image, with a fresh link',
        description: 'What is known of a picture, and a link that works without any header until it expires.',
        tags: ['Images'],
        params: z.object({ image_id: z.string() }),
        response: { 200: imageAnswer, ...errorResponses },
      },
    },
    async (request, reply) => {
      const { image_id: imageId } = request.params as { image_id: string }
      const image = await dependencies.getImage({ imageId, accountId: callerOf(request).accountId })
      const { url, expiresAt } = dependencies.imageUrls.sign(image)
      reply.header('cache-control', 'no-store')
      return {
        id: image.id,
        object: 'image',
        image_id: image.id,
        task_id: image.taskId,
        created_at: epochSeconds(image.createdAt),
        model: image.model,
        prompt: image.prompt,
        revised_prompt: image.revisedPrompt,
        seed: image.seed,
        width: image.width,
        height: image.height,
        format: image.format,
        size_bytes: image.sizeBytes,
        url,
        url_expires_at: expiresAt,
      }
    },
  )
}
