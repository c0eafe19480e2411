/**
 * Sends a kept picture so that a browser can do nothing with it but show it, whatever the bytes are: ETag, HEAD, one
 * range, and no cache that outlives the link.
 */
import type { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import parseRange from 'range-parser'
import { mediaType, type StoredImage } from '../images/stored-image.ts'
import { GessoError } from '../lib/errors.ts'
import type { ByteRange, ObjectStore } from '../objects/object-store.ts'

export interface ServeDependencies {
  objects: ObjectStore
}

/** Answers with the picture, or a part of it. Throws `image_not_found` where its file is gone. */
export async function serveImage(
  { request, reply }: { request: FastifyRequest; reply: FastifyReply },
  dependencies: ServeDependencies,
  { image, cacheControl }: { image: StoredImage; cacheControl: string },
): Promise<FastifyReply> {
  const etag = `"${image.sha256}"`
  const headers = {
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
    'cross-origin-resource-policy': 'cross-origin',
    'access-control-allow-origin': '*',
    'cache-control': cacheControl,
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
  if (!kept) throw imageMissing(image.id)
  // Before a range is asked for, which a shorter file may not have.
  assertKeptSize(image, kept.sizeBytes)
  if (method === 'HEAD') return undefined
  const object = await objects.get(image.objectKey, range)
  if (!object) throw imageMissing(image.id)
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

/** For an address under which there is no picture. */
export function imageMissing(imageId: string): GessoError {
  return new GessoError({
    code: 'image_not_found',
    attribution: 'client',
    message: `There is no image ${JSON.stringify(imageId.slice(0, 100).toWellFormed())} in this format.`,
  })
}
