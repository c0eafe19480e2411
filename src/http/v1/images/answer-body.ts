/**
 * From a parsed body to the answer in OpenAI's shape: what generations, edits, variations and Aliyun's form have in
 * common once each has read its own dialect.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { InputSource } from '../../../generation/request.ts'
import type { KeptPicture } from '../../../generation/store-pictures.ts'
import type { ImageUrls } from '../../../images/image-url.ts'
import type { Warning } from '../../../models/map-fields.ts'
import { callerOf } from '../../auth.ts'
import { type Drawing, draw } from '../../drawing/draw.ts'
import { type DrawingBody, fillIn } from '../../drawing/drawing-body.ts'
import { readInputSources } from '../../drawing/input-sources.ts'
import { toGenerationRequest } from '../../drawing/to-request.ts'
import { readRepetition } from '../../idempotency/read-repetition.ts'
import type { Preferences } from '../../prefer.ts'
import { streamJson } from '../../stream-json.ts'
import { uploadsOf } from '../../uploads.ts'
import { presentAsBase64, presentAsUrl, presentImages, type ResponseFormat } from './present-images.ts'
import { type StreamDependencies, streamImages } from './stream-images.ts'

export interface AnswerDependencies extends StreamDependencies {
  imageUrls: ImageUrls
  /** For callers that name none. */
  defaultResponseFormat: ResponseFormat
}

/** A body in canonical words, with its input pictures as the caller named them. */
export interface ParsedBody {
  value: DrawingBody & { prompt: string; image?: unknown; mask?: unknown; markup?: unknown }
  /** The body as it came, or what the parts of a form stand for: a repetition is known by it. */
  raw: unknown
  warnings: readonly Warning[]
  preferences: Preferences
  /** What the caller calls its input pictures, where it is not `image`. */
  imageName?: string
  /** How the operation's events are called, where it can be streamed; `image_generation` unless it says otherwise. */
  events?: 'image_generation' | 'image_edit'
  /** Where neither the caller nor the key names a model. */
  defaultModel?: string
}

/**
 * Draws and sends the pictures, or the estimate of a dry run. No function that waits for the drawing may know the body:
 * it holds pictures as text, which would stay in memory for as long as the provider works.
 */
export function answerBody(
  dependencies: AnswerDependencies,
  exchange: { request: FastifyRequest; reply: FastifyReply },
  parsed: ParsedBody,
): Promise<FastifyReply> {
  return readDrawing(dependencies, exchange.request, parsed).then((asked) =>
    answer(dependencies, exchange, asked),
  )
}

/** What is left of a body once it is read. */
interface Asked {
  drawing: Drawing
  responseFormat: ResponseFormat | undefined
  isDryRun: boolean
  /** Absent where the answer is no stream. */
  stream: { events: 'image_generation' | 'image_edit'; format: ResponseFormat } | undefined
  /** For `Preference-Applied`. */
  applied: string | undefined
}

async function readDrawing(
  dependencies: AnswerDependencies,
  request: FastifyRequest,
  {
    value,
    raw,
    warnings,
    preferences,
    imageName = 'image',
    events = 'image_generation',
    defaultModel,
  }: ParsedBody,
): Promise<Asked> {
  const { prompt, image, mask, markup, ...own } = value
  const { body, defaulted } = fillIn(own, callerOf(request).defaults)
  const isDryRun = body.dry_run ?? false
  const { handling, waits, applied } = preferences
  const uploads = uploadsOf(request)
  const drawing = toGenerationRequest({
    body: { ...body, model: body.model ?? defaultModel },
    prompt,
    images: await readInputSources(image, imageName, { maxImages: dependencies.uploads.maxImages, uploads }),
    mask: await readOverlay(mask, 'mask', uploads),
    markup: await readOverlay(markup, 'markup', uploads),
    handling,
    warnings,
    defaulted,
  })
  // A dry run makes nothing that could be repeated.
  const repetition = isDryRun
    ? undefined
    : await readRepetition(dependencies, request, { body: raw, handling })
  return {
    drawing: { request: drawing, repetition, waits },
    responseFormat: body.response_format,
    isDryRun,
    // OpenAI's events hold base64, whatever a key says of answers; a link comes to a caller who asks for one.
    stream: body.stream ? { events, format: own.response_format ?? 'b64_json' } : undefined,
    applied,
  }
}

async function answer(
  dependencies: AnswerDependencies,
  exchange: { request: FastifyRequest; reply: FastifyReply },
  { drawing, responseFormat, isDryRun, stream: streaming, applied }: Asked,
): Promise<FastifyReply> {
  const { request, reply } = exchange
  if (applied) reply.header('preference-applied', applied)
  if (isDryRun) {
    const { cost, warnings } = await dependencies.estimate(callerOf(request), drawing.request)
    return reply.send({ object: 'image.generation.estimate', cost, warnings })
  }
  if (streaming) {
    const { events, format } = streaming
    return streamImages(dependencies, exchange, { drawing, events, present: presentAs(dependencies, format) })
  }
  const { task, pictures } = await draw(dependencies, exchange, drawing)
  const format = responseFormat ?? defaultFormat(request, dependencies.defaultResponseFormat)
  const data = pictures.map(presentAs(dependencies, format))
  const { stream, contentLength } = streamJson(presentImages(task, data))
  return reply.type('application/json; charset=utf-8').header('content-length', contentLength).send(stream)
}

function presentAs({ imageUrls }: AnswerDependencies, format: ResponseFormat) {
  return (picture: KeptPicture): object =>
    format === 'b64_json' ? presentAsBase64(picture) : presentAsUrl(picture, imageUrls)
}

/** One mask or markup; a list of one is what forms with `mask[]` send. */
async function readOverlay(
  overlay: unknown,
  name: 'mask' | 'markup',
  uploads: ReturnType<typeof uploadsOf>,
): Promise<InputSource | undefined> {
  const [only] = await readInputSources(overlay, name, { maxImages: 1, uploads })
  return only
}

/**
 * The AI SDK reads only base64, whatever it asked for. Its packages name themselves in the user agent: in earlier
 * versions as `ai-sdk/openai/2.0`, in version 7 as `ai-sdk-provider-utils/5.0`.
 */
function defaultFormat(request: FastifyRequest, serverDefault: ResponseFormat): ResponseFormat {
  return /\bai-sdk[/-]/.test(request.headers['user-agent'] ?? '') ? 'b64_json' : serverDefault
}
