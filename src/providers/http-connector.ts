/**
 * Connections that hear the other side out. A server that refuses a request early may answer and hang up while
 * the body is still going out; the next write then fails, and Node would throw the connection away together with
 * the answer that waits in it. Here a failed write waits for the end of what there is to read.
 */
import type { Socket } from 'node:net'
import { buildConnector } from 'undici'

/** A connector for undici's agents: HTTP/1.1 only. `timeoutMs` bounds DNS, TCP and TLS together. */
export function createHttpConnector(options: { timeoutMs: number }): buildConnector.connector {
  const connect = buildConnector({ allowH2: false, timeout: options.timeoutMs })
  return (target, callback) =>
    connect(target, (...result) => {
      const [, socket] = result
      if (socket) hearOut(socket)
      callback(...result)
    })
}

type WriteCallback = (error?: Error | null) => void

function hearOut(socket: Socket): void {
  // A connection that cannot be written to any more soon ends on its reading side too, by an end or an error.
  const patient =
    (callback: WriteCallback): WriteCallback =>
    (error) => {
      if (error && !socket.destroyed) socket.once('close', () => callback(error))
      else callback(error)
    }
  const write = socket._write.bind(socket)
  socket._write = (chunk, encoding, callback) => write(chunk, encoding, patient(callback))
  const writev = socket._writev?.bind(socket)
  if (writev) socket._writev = (chunks, callback) => writev(chunks, patient(callback))
}
