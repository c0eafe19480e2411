/**
 * An answer of the Images API that comes as events: stages of the picture, and then the picture. Stages are handed on and
 * forgotten; only what is finished is kept. (OpenAI's Images streaming events reference, read 2026-11-20.)
 */
import { readBytes } from './images-api-reply.ts'
import { type WireError, type WireReply, wireErrorEvent, wireEvent, wireReply } from './images-api-schema.ts'
import type { Watching } from './provider.ts'
import type { ServerEvent } from './server-event.ts'

export interface ImageStream {
  onEvent(event: ServerEvent): void
  /** Has anything come that such a stream says? */
  hasBegun(): boolean
  /** Has it come to a picture, or to an error? */
  hasResult(): boolean
  /** Are all pictures there? */
  hasAll(): boolean
  /** What the events said so far, as an answer in one piece would have said it. */
  reply(): WireReply
}

/**
 * Gathers at most `atMost` pictures. A picture counts when its `completed` event has come; stages that come after the
 * last one are ignored, and so is an end without `[DONE]`. An error beside a picture does not undo the picture.
 */
export function createImageStream(watching: Watching, atMost: number): ImageStream {
  const completed: unknown[] = []
  /** What the last `completed` event says beside its picture. */
  let told: object = {}
  let error: WireError | undefined
  let stages = 0

  return {
    onEvent({ event: name, json }) {
      const parsed = wireEvent.safeParse(json)
      const event = parsed.success ? parsed.data : undefined
      const type = event?.type ?? name
      const isCompleted = /^image_(generation|edit)\.completed$/.test(type)
      const isPartial = /^image_(generation|edit)\.partial_image$/.test(type)
      const stage = isPartial ? readBytes(event?.b64_json) : undefined
      if (completed.length >= atMost) return
      if (isCompleted && (event?.b64_json ?? event?.url) !== undefined) {
        told = { ...(json as object) }
        completed.push(json)
      } else if (stage) {
        watching.onPartial({ position: 0, index: event?.partial_image_index ?? stages, bytes: stage })
      } else if (event?.error || type === 'error') error ??= event?.error ?? wireErrorEvent.parse(json)
      // Some servers say what it cost in an event of this name, which has no picture.
      else if (isCompleted) told = { ...(json as object) }
      if (isPartial) stages += 1
    },
    hasBegun: () => completed.length > 0 || stages > 0 || error !== undefined,
    hasResult: () => completed.length > 0 || error !== undefined,
    hasAll: () => completed.length >= atMost,
    reply: () => wireReply.parse({ ...told, data: completed, error }),
  }
}
