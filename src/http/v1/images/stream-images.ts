/**
 * The answer of a drawing as OpenAI's events: unfinished pictures as they come, then one event for each finished one. The
 * status is sent with the first event, so what fails before it is an ordinary error.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { GenerationRequest } from '../../../generation/request.ts'
import type { ShownPartial } from '../../../generation/show-partials.ts'
import type { KeptPicture } from '../../../generation/store-pictures.ts'
import { epochSeconds } from '../../../lib/clock.ts'
import { GessoError } from '../../../lib/errors.ts'
import { type DrawDependencies, type Drawing, type DrawnTask, draw } from '../../drawing/draw.ts'
import { toHttpError } from '../../errors.ts'
import { type EventStream, type EventStreamOptions, openEventStream } from '../../event-stream.ts'
import { Base64 } from '../../stream-json.ts'
import { presentResult } from './present-images.ts'

export interface StreamDependencies extends DrawDependencies {
  events: EventStreamOptions
}

interface Streaming {
  drawing: Drawing
  /** A finished picture in the form that the caller asked for. */
  present(picture: KeptPicture): object
  /** How the operation's events are called. */
  events: 'image_generation' | 'image_edit'
}

/** Draws and streams. Throws where it fails before anything was sent. A caller that leaves does not stop the drawing. */
export async function streamImages(
  dependencies: StreamDependencies,
  { request, reply }: { request: FastifyRequest; reply: FastifyReply },
  { drawing, present, events: prefix }: Streaming,
): Promise<FastifyReply> {
  const events = openEventStream(dependencies.events)
  const { fields } = drawing.request
  const isSeveral = fields.n > 1 || fields.series !== undefined
  const watcher = {
    // Before, it may still be refused, and its head could not name the task.
    onAdmitted: () => events.keepAlive(),
    onPartial: (partial: ShownPartial) => showPartial(events, { partial, prefix, isSeveral, fields }),
  }
  const finished = draw(dependencies, { request, reply }, drawing, watcher)
    .then(({ task, pictures }) => finish(events, { task, pictures, prefix, isSeveral, present }))
    .catch((error: unknown) => {
      if (!events.hasBegun) throw error
      const { body } = toHttpError(error, request.id)
      // Others have a line of the log already; this one would leave none.
      if (!(error instanceof GessoError))
        request.log.error({ code: body.error.code, err: error }, 'request failed')
      events.send('error', { type: 'error', ...body }, 0)
      events.end()
    })
  // Whichever comes first: an event, a comment, or a failure before both, which then has its ordinary status.
  await Promise.race([events.begun, finished]).catch((error: unknown) => {
    events.stream.destroy()
    throw error
  })
  return reply
    .type('text/event-stream; charset=utf-8')
    .header('cache-control', 'no-cache, no-transform')
    .header('x-accel-buffering', 'no')
    .send(events.stream)
}

function showPartial(
  events: EventStream,
  {
    partial,
    prefix,
    isSeveral,
    fields,
  }: { partial: ShownPartial; prefix: string; isSeveral: boolean; fields: GenerationRequest['fields'] },
): void {
  const type = `${prefix}.partial_image`
  const { quality = 'auto', background = 'auto' } = fields
  const json = {
    type,
    b64_json: new Base64(partial.bytes),
    created_at: epochSeconds(new Date()),
    size: `${partial.width}x${partial.height}`,
    quality,
    background,
    output_format: partial.format,
    partial_image_index: partial.index,
    ...(isSeveral ? { index: partial.position } : {}),
  }
  events.offer(type, json, partial.bytes.length)
}

/** Usage, cost and warnings are the request's: they stand in its last event. */
function finish(
  events: EventStream,
  {
    task,
    pictures,
    prefix,
    isSeveral,
    present,
  }: {
    task: DrawnTask
    pictures: readonly KeptPicture[]
    prefix: string
    isSeveral: boolean
    present: Streaming['present']
  },
): void {
  const type = `${prefix}.completed`
  const { quality = 'auto', background = 'auto' } = task.result
  for (const picture of pictures) {
    const isLast = picture === pictures.at(-1)
    const json = {
      type,
      id: task.id,
      model: task.model,
      created_at: epochSeconds(task.completedAt ?? task.createdAt),
      ...(isSeveral ? { index: picture.place } : {}),
      ...(isLast ? presentResult(task.result) : {}),
      ...present(picture),
      size: `${picture.width}x${picture.height}`,
      quality,
      background,
      output_format: picture.format,
    }
    events.send(type, json, picture.sizeBytes)
  }
  events.end()
}
