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
  /** What the events said so far, as an answer in one piece would have said it. */
  reply(): WireReply
}

/**
 * Gathers at most `atMost` pictures. A picture counts when its `completed` event has come; stages that come after the
 * last one are ignored, and so is an end without `[DONE]`.
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
      if (event?.error || type === 'error') error ??= event?.error ?? wireErrorEvent.parse(json)
      else if (completed.length >= atMost) return
      else if (/^image_(generation|edit)\.completed$/.test(type)) {
        told = { ...(json as object) }
        // Some servers say what it cost in an event of this name, which has no picture.
        if (hasPicture(json)) completed.push(json)
      } else if (/^image_(generation|edit)\.partial_image$/.test(type)) {
        const bytes = readBytes(event?.b64_json)
        if (bytes) watching.onPartial({ position: 0, index: event?.partial_image_index ?? stages, bytes })
        stages += 1
      }
    },
    reply: () => wireReply.parse({ ...told, data: completed, error }),
  }
}

function hasPicture(json: unknown): boolean {
  return typeof json === 'object' && json !== null && ('b64_json' in json || 'url' in json)
}
