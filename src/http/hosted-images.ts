/**
 * `GET|HEAD /i/{image_id}.{ext}?exp=…&sig=…`: a picture to anyone who holds a valid link, with no other header.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { fileExtension, type ImageUrls } from '../images/image-url.ts'
import type { StoredImage } from '../images/stored-image.ts'
import { imageMissing, type ServeDependencies, serveImage } from './serve-image.ts'

export interface HostedImagesDependencies extends ServeDependencies {
  imageUrls: ImageUrls
  /** Throws `image_not_found`. */
  getImageForLink(imageId: string): Promise<StoredImage>
}

export function hostedImages(server: FastifyInstance, dependencies: HostedImagesDependencies): void {
  // One route for both: the framework's own HEAD would read the whole file to throw it away.
  server.route({
    method: ['GET', 'HEAD'],
    url: '/i/:file',
    exposeHeadRoute: false,
    config: { access: 'public' },
    schema: { hide: true },
    handler: async (request, reply) => serve(request, reply, dependencies),
  })
}

async function serve(request: FastifyRequest, reply: FastifyReply, dependencies: HostedImagesDependencies) {
  // The raw address, not the decoded one: `%2e` is an altered link, not another way to write a dot.
  const address = request.raw.url ?? ''
  const questionMark = address.indexOf('?')
  const path = questionMark === -1 ? address : address.slice(0, questionMark)
  const query = questionMark === -1 ? '' : address.slice(questionMark + 1)
  const leftSeconds = dependencies.imageUrls.verify(path, query)
  const [imageId = '', extension = ''] = path.slice('/i/'.length).split('.')
  const image = await dependencies.getImageForLink(imageId)
  if (extension !== fileExtension(image.format)) throw imageMissing(imageId)
  const cacheControl = `private, max-age=${leftSeconds}, immutable`
  return serveImage({ request, reply }, dependencies, { image, cacheControl })
}
