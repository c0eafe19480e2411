/**
 * The events of a series that is watched, gathered into what the same answer would have been in one piece ("Streaming
 * responses" of the image generation API, read 2026-11-20). A picture that has arrived is never lost to what comes, or does
 * not come, after it.
 */
import type { PartialPicture } from '../provider.ts'
import type { ServerEvent } from '../server-event.ts'
import { readBytes } from './ark-reply.ts'
import { type WireEvent, type WireImage, type WireReply, wireEvent } from './ark-schema.ts'

export interface EventGatherer {
  take(event: ServerEvent): void
  /** Has anything come that Ark says in a stream? */
  hasBegun(): boolean
  /** Has Ark said that this was all? */
  isComplete(): boolean
  /** What has come so far, in the order of the series. */
  reply(): WireReply
}

/** `onPartial` is told of every picture that is there; absent where the whole answer is one picture. */
export function gatherEvents(onPartial?: (partial: PartialPicture) => void): EventGatherer {
  const entries: { position: number; image: WireImage }[] = []
  let usage: WireReply['usage']
  let error: WireReply['error']
  let isComplete = false

  const takeImage = (event: WireEvent) => {
    const position = event.image_index ?? entries.length
    const { b64_json, url, size } = event
    entries.push({ position, image: { b64_json, url, size, error: event.error } })
    const bytes = readBytes(b64_json)
    if (bytes) onPartial?.({ position, index: 0, bytes })
  }
  return {
    take({ event, json }) {
      const parsed = wireEvent.safeParse(json)
      // `[DONE]`, and whatever else is no object.
      if (!parsed.success) return
      const type = parsed.data.type ?? event
      if (/\.partial_(succeeded|failed)$/.test(type)) takeImage(parsed.data)
      else if (type === 'image_generation.completed') {
        isComplete = true
        usage = parsed.data.usage
      } else error ??= parsed.data.error
    },
    hasBegun: () => entries.length > 0 || isComplete || error !== undefined,
    isComplete: () => isComplete,
    reply: () => ({
      data: entries.toSorted((a, b) => a.position - b.position).map(({ image }) => image),
      usage,
      error,
    }),
  }
}
