/**
 * Ends the connections of clients that do not take their answer. What they leave unread, pictures included, is held
 * in memory for them, so that standing still and dripping both have an end.
 */
import type { FastifyInstance, FastifyReply } from 'fastify'

export interface ReadingPace {
  /** How long a client may take nothing. */
  stallTimeoutMs: number
  /** What it has to take on average, beyond that time. */
  bytesPerSecond: number
}

/** Watches every answer from its first byte to its last; a connection that waits for a next request is not meant. */
export function cutOffSlowReaders(server: FastifyInstance, pace: ReadingPace): void {
  server.addHook('onSend', async (_request, reply, payload) => {
    const response = reply.raw
    if (response.destroyed) return payload
    const cut = () => response.destroy()
    // Node puts the keep-alive timeout in the place of this one when the answer is out.
    response.setTimeout(pace.stallTimeoutMs, cut)
    // A stream of events goes on for as long as the work does, and has an end of its own.
    if (/^text\/event-stream\b/.test(String(reply.getHeader('content-type')))) return payload
    const deadlineMs = pace.stallTimeoutMs + (sizeBytes(reply, payload) / pace.bytesPerSecond) * 1_000
    const deadline = setTimeout(cut, deadlineMs).unref()
    response.once('close', () => clearTimeout(deadline))
    return payload
  })
}

/** Streams come with their length in the header, everything else is its own length. */
function sizeBytes(reply: FastifyReply, payload: unknown): number {
  if (typeof payload === 'string' || Buffer.isBuffer(payload)) return Buffer.byteLength(payload)
  return Number(reply.getHeader('content-length') ?? 0)
}
