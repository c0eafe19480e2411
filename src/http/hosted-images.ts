/**
 * `GET|HEAD /i/{image_id}.{ext}?exp=…&sig=…`: a picture to anyone who holds a valid link, with no other header.
 * Served so that a browser can do nothing with it but show it, whatever the bytes are.
 */
import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import parseRange from 'range-parser'
import { fileExtension, type ImageUrls } from '../images/image-url.ts'
import { mediaType, type StoredImage } from '../images/stored-image.ts'
import { GessoError } from '../lib/errors.ts'
import type { ByteRange, ObjectStore } from '../objects/object-store.ts'

export interface HostedImagesDependencies {
  imageUrls: ImageUrls
  /** Throws `image_not_found`. */
  getImageForLink(imageId: string): Promise<StoredImage>
  objects: ObjectStore
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
  if (extension !== fileExtension(image.format)) throw missing(imageId)

  const etag = `"${image.sha256}"`
  const headers = {
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
    'cross-origin-resource-policy': 'cross-origin',
    'access-control-allow-origin': '*',
    'cache-control': `private, max-age=${leftSeconds}, immutable`,
    'accept-ranges': 'bytes',
    etag,
  }
  if (matches(request.headers['if-none-match'], etag)) return reply.headers(headers).code(304).send()

  const range = askedRange(request, image.sizeBytes, etag)
  if (range === 'unsatisfiable') {
    reply.header('content-range', `bytes */${image.sizeBytes}`)
    throw new GessoError({
      code: 'range_not_satisfiable',
      attribution: 'client',
      message: `The asked range does not lie inside the ${image.sizeBytes} bytes of this image.`,
    })
  }
  const stream = await open(request.method, image, dependencies.objects, range)
  reply.headers(headers).type(mediaType(image.format))
  if (range) reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${image.sizeBytes}`)
  reply.header('content-length', range ? range.end - range.start + 1 : image.sizeBytes)
  return reply.send(stream)
}

/**
 * The bytes, or nothing for HEAD. Throws `image_not_found` where the file is gone, and fails where it is not the
 * one that was kept: its length would belie the headers.
 */
async function open(
  method: string,
  image: StoredImage,
  objects: ObjectStore,
  range: ByteRange | undefined,
): Promise<Readable | undefined> {
  const kept = await objects.stat(image.objectKey)
  if (!kept) throw missing(image.id)
  // Before a range is asked for, which a shorter file may not have.
  assertKeptSize(image, kept.sizeBytes)
  if (method === 'HEAD') return undefined
  const object = await objects.get(image.objectKey, range)
  if (!object) throw missing(image.id)
  if (object.sizeBytes !== image.sizeBytes) object.stream.destroy()
  assertKeptSize(image, object.sizeBytes)
  return object.stream
}

function assertKeptSize(image: StoredImage, sizeBytes: number): void {
  if (sizeBytes === image.sizeBytes) return
  throw new Error(
    `image ${image.id} has ${sizeBytes} bytes in the object store, but ${image.sizeBytes} were kept`,
  )
}

/** One range at most; several, or nonsense, get the whole picture, as RFC 9110 allows. */
function askedRange(
  request: FastifyRequest,
  sizeBytes: number,
  etag: string,
): ByteRange | 'unsatisfiable' | undefined {
  const header = request.method === 'GET' ? request.headers.range : undefined
  if (header === undefined || header.length > 200 || !isOneByteRange(header)) return undefined
  const ifRange = request.headers['if-range']
  if (ifRange !== undefined && ifRange !== etag) return undefined
  const ranges = parseRange(sizeBytes, header)
  if (ranges === -1) return 'unsatisfiable'
  if (ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return undefined
  return ranges[0]
}

/** RFC 9110, section 14.2: another unit, several ranges or an end before its start are as if not asked. */
function isOneByteRange(header: string): boolean {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/i.exec(header) ?? []
  if (first === '' || last === '') return first !== last
  return Number(first) <= Number(last)
}

function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  return (ifNoneMatch ?? '')
    .slice(0, 2_000)
    .split(',')
    .some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag)
}

function missing(imageId: string): GessoError {
  return new GessoError({
    code: 'image_not_found',
    attribution: 'client',
    message: `There is no image ${JSON.stringify(imageId.slice(0, 100))} in this format.`,
  })
}
