/** Tells when an answer has left this server whole, which is as much as a server can know of it. */
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'

export interface AnswerListener {
  /** The operating system has taken the last byte of the answer. */
  onAnswered(): void
  /** After that: its client broke the connection off before it had read everything. */
  onLost(): void
}

/** The last answer on each connection, and what had been read of its client by then. */
const lastAnswers = new WeakMap<Socket, { bytesRead: number; onLost(): void }>()

/** Must be asked before the answer is sent. Tells nothing where the connection breaks before the last byte. */
export function whenAnswered(
  { request, reply }: { request: FastifyRequest; reply: FastifyReply },
  { onAnswered, onLost }: AnswerListener,
): void {
  const { socket } = request.raw
  reply.raw.once('finish', () => {
    // An answer that is cut off in the breath in which it ends is said to be finished too.
    if (socket.destroyed) return
    onAnswered()
    if (!lastAnswers.has(socket)) socket.once('close', (isReset) => isReset && tellLost(socket))
    lastAnswers.set(socket, { bytesRead: socket.bytesRead, onLost })
  })
}

/**
 * Megabytes may wait in buffers on their way. A client that closes with bytes unread resets the connection; one that had sent
 * its next request had read the answer to the one before.
 */
function tellLost(socket: Socket): void {
  const last = lastAnswers.get(socket)
  if (last?.bytesRead === socket.bytesRead) last.onLost()
}
