/**
 * Brings the input pictures into the form in which a provider may see them: here, known by their own bytes, bounded,
 * upright, and without the metadata that tells where and by whom they were taken.
 */
import type { Kysely } from 'kysely'
import type { Database } from '../db/schema.ts'
import { getImage } from '../images/get-image.ts'
import type { Spool, SpooledFile } from '../inputs/spool.ts'
import { badRequest, GessoError } from '../lib/errors.ts'
import type { ImageMediaType } from '../media/image-format.ts'
import { type ImageInfo, type ImageLimits, inspectImage } from '../media/inspect-image.ts'
import { normaliseInput } from '../media/normalise-input.ts'
import type { MappedFields } from '../models/map-fields.ts'
import type { GuardedFetch } from '../net/guarded-fetch.ts'
import type { ObjectStore } from '../objects/object-store.ts'
import type { InputImage, InputRules } from '../providers/provider.ts'
import type { ChosenRoute } from './choose-route.ts'
import type { GenerateContext } from './context.ts'
import type { GenerationRequest, InputSource } from './request.ts'
import { stoppedBeforeDispatch } from './stopped-before-dispatch.ts'

export interface FetchInputsDependencies {
  db: Kysely<Database>
  spool: Spool
  guardedFetch: GuardedFetch
  objects: ObjectStore
  inputs: {
    maxImageBytes: number
    fetchTimeoutMs: number
    limits: ImageLimits
  }
}

/** The pictures of one request. Disposing removes what was fetched or converted for it. */
export interface Inputs extends AsyncDisposable {
  images: readonly InputImage[]
  mask?: InputImage
  markup?: InputImage
  /** Of each of them, mask and markup included. */
  pixels: readonly number[]
}

interface Work {
  context: GenerateContext
  request: GenerationRequest
  mapped: MappedFields
  route: ChosenRoute
}

/**
 * Throws a 400 that names the field where a picture cannot be had, is none, or is too large; `overloaded` where the
 * signal fires first, and leaves nothing of the work behind then.
 */
export async function fetchInputs(
  dependencies: FetchInputsDependencies,
  work: Work,
  signal: AbortSignal,
): Promise<Inputs> {
  try {
    return await obtainAll(dependencies, work, signal)
  } catch (error) {
    // What the caller did wrong stays wrong; only a bare reason of the signal, or its consequence, is the stop's.
    throw signal.aborted && !(error instanceof GessoError) ? stoppedBeforeDispatch(error) : error
  }
}

async function obtainAll(
  dependencies: FetchInputsDependencies,
  { context, request, mapped, route }: Work,
  signal: AbortSignal,
): Promise<Inputs> {
  await using files = new AsyncDisposableStack()
  const sources = request.images.slice(0, mapped.sends.images)
  if (sources.length === 0) return { images: [], pixels: [], [Symbol.asyncDispose]: async () => undefined }
  const rules: InputRules = route.adapter.inputs ?? { mediaTypes: ['image/png', 'image/jpeg', 'image/webp'] }
  const { mediaTypes, maxEdge } = rules
  const { accountId } = context.caller
  const fetched = await settleAll(
    sources.map((source) => obtain(dependencies, source, { accountId, files, signal })),
  )
  // A request has a mask or a markup, never both.
  const overlay = (mapped.sends.mask && request.mask) || (mapped.sends.markup && request.markup)
  const overlayFile = overlay ? await obtain(dependencies, overlay, { accountId, files, signal }) : undefined
  const first = sources[0]
  if (overlay && overlayFile && first && fetched[0]) {
    await checkOverlay(dependencies, { first, firstFile: fetched[0], overlay, overlayFile, signal })
  }
  const prepare = (file: SpooledFile, param: string, form: Form) =>
    normalise(dependencies, file, { param, files, signal, ...form })
  const images = await settleAll(
    fetched.map((file, index) => prepare(file, sources[index]?.param ?? 'image', { mediaTypes, maxEdge })),
  )
  const fit = images[0] && { width: images[0].width, height: images[0].height }
  const masks: readonly ImageMediaType[] = ['image/png']
  const maskToWhite = mapped.sends.mask && rules.mask === 'white'
  const prepared =
    overlay && overlayFile
      ? await prepare(overlayFile, overlay.param, { mediaTypes: masks, fit, maskToWhite })
      : undefined
  // A file that cannot be removed goes with the next start; it must not cost the picture that was made of it.
  const kept = files.move()
  return {
    images,
    pixels: [...images, ...(prepared ? [prepared] : [])].map(({ width, height }) => width * height),
    ...(mapped.sends.mask ? { mask: prepared } : { markup: prepared }),
    [Symbol.asyncDispose]: () => kept.disposeAsync().catch(() => undefined),
  }
}

/** All of them, or the first failure once nobody is at work any more: files must not be removed under a reader. */
async function settleAll<Value>(work: readonly Promise<Value>[]): Promise<Value[]> {
  const settled = await Promise.allSettled(work)
  return settled.map((one) => {
    if (one.status === 'rejected') throw one.reason
    return one.value
  })
}

interface Obtaining {
  accountId: string
  files: AsyncDisposableStack
  signal: AbortSignal
}

async function obtain(
  dependencies: FetchInputsDependencies,
  source: InputSource,
  { accountId, files, signal }: Obtaining,
): Promise<SpooledFile> {
  const { maxImageBytes, fetchTimeoutMs } = dependencies.inputs
  if (source.kind === 'file') {
    if (source.file.sizeBytes > maxImageBytes) throw tooLarge(source.param, maxImageBytes)
    return source.file
  }
  const receive = async (body: AsyncIterable<Buffer>) => {
    await using writer = dependencies.spool.open()
    for await (const chunk of body) {
      signal.throwIfAborted()
      await writer.write(chunk)
    }
    return files.use(await writer.finish())
  }
  if (source.kind === 'url') {
    const blame = { code: 'invalid_image_request', attribution: 'client', param: source.param } as const
    const options = { maxBytes: maxImageBytes, deadlineMs: fetchTimeoutMs, signal, blame }
    return dependencies.guardedFetch.download(source.url, options, receive)
  }
  const image = await getImage(dependencies.db, { imageId: source.imageId, accountId }).catch(
    (error: unknown) => {
      throw error instanceof GessoError && error.code === 'image_not_found'
        ? notThere(source.param, source.imageId)
        : error
    },
  )
  const object = await dependencies.objects.get(image.objectKey)
  if (!object) throw notThere(source.param, source.imageId)
  return receive(object.stream)
}

interface Form {
  mediaTypes: readonly ImageMediaType[]
  maxEdge?: number
  fit?: { width: number; height: number }
  maskToWhite?: boolean
}

async function normalise(
  { spool, inputs }: FetchInputsDependencies,
  file: SpooledFile,
  {
    param,
    files,
    signal,
    ...form
  }: Form & { param: string; files: AsyncDisposableStack; signal: AbortSignal },
): Promise<InputImage> {
  const targetPath = await spool.newPath()
  const { info, rewritten } = await normaliseInput(file.source, {
    ...form,
    targetPath,
    limits: inputs.limits,
    param,
    signal,
  })
  const kept = rewritten ? files.use(await spool.adopt(targetPath)) : file
  return toInputImage(info, kept)
}

function toInputImage({ mediaType, width, height }: ImageInfo, file: SpooledFile): InputImage {
  return {
    mediaType,
    width,
    height,
    sizeBytes: file.sizeBytes,
    read: () => file.read(),
    stream: () => file.stream(),
  }
}

async function checkOverlay(
  { inputs }: FetchInputsDependencies,
  work: {
    first: InputSource
    firstFile: SpooledFile
    overlay: InputSource
    overlayFile: SpooledFile
    signal: AbortSignal
  },
): Promise<void> {
  const { limits } = inputs
  const { param } = work.overlay
  const { signal } = work
  const image = await inspectImage(work.firstFile.source, { limits, param: work.first.param, signal })
  const overlay = await inspectImage(work.overlayFile.source, { limits, param, signal })
  if (overlay.width !== image.width || overlay.height !== image.height) {
    throw badRequest(
      param,
      `${param} is ${overlay.width}x${overlay.height}, but the image is ${image.width}x${image.height}; both must have the same size.`,
      'unsupported_image',
    )
  }
  if (!overlay.hasAlpha) {
    throw badRequest(
      param,
      `${param} has no transparency; its fully transparent pixels say what ${param === 'markup' ? 'is left as it is' : 'may change'}, so send a PNG or WebP with an alpha channel.`,
      'unsupported_image',
    )
  }
}

function notThere(param: string, imageId: string): GessoError {
  const shown = JSON.stringify(imageId.slice(0, 100))
  return badRequest(param, `${param} names the image ${shown}, which this account does not have.`)
}

function tooLarge(param: string, maxImageBytes: number): GessoError {
  return new GessoError({
    code: 'request_too_large',
    attribution: 'client',
    param,
    message: `${param} is larger than the ${maxImageBytes} bytes that an input picture may have.`,
  })
}
