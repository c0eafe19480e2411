/**
 * `GET|HEAD /api/i/{image_id}.{ext}`: a picture under a link that does not expire. Only pictures that were made for
 * such a link are here: the id of any other picture opens nothing, or every signed link could be made to last.
 */
import type { FastifyInstance } from 'fastify'
import { fileExtension } from '../images/image-url.ts'
import type { StoredImage } from '../images/stored-image.ts'
import { imageMissing, type ServeDependencies, serveImage } from './serve-image.ts'

export interface PermanentImagesDependencies extends ServeDependencies {
  /** Throws `image_not_found`, also for a picture without such a link. */
  getPermanentImage(imageId: string): Promise<StoredImage>
}

const daySeconds = 86_400

/** The path of a picture's link. */
export function permanentPath(image: Pick<StoredImage, 'id' | 'format'>): string {
  return `/api/i/${image.id}.${fileExtension(image.format)}`
}

export function permanentImages(server: FastifyInstance, dependencies: PermanentImagesDependencies): void {
  server.route({
    method: ['GET', 'HEAD'],
    url: '/api/i/:file',
    exposeHeadRoute: false,
    config: { access: 'public' },
    schema: { hide: true },
    handler: async (request, reply) => {
      const { file } = request.params as { file: string }
      const [, imageId = '', extension = ''] = /^([^.]*)\.([^.]*)$/.exec(file) ?? []
      const image = await dependencies.getPermanentImage(imageId)
      if (extension !== fileExtension(image.format)) throw imageMissing(imageId)
      const cacheControl = `public, max-age=${daySeconds}, immutable`
      return serveImage({ request, reply }, dependencies, { image, cacheControl })
    },
  })
}
