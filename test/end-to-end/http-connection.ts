/** A bare connection to the server, for what no HTTP client would send. */
import { connect, type Socket } from 'node:net'

export interface Connection extends Disposable {
  socket: Socket
  write(data: string | Buffer): void
  /** Everything that came so far. */
  received(): string
  /** Resolves when the server has ended the connection; rejects where it has not in time. */
  ended(withinMs: number): Promise<void>
}

/** Connects and begins to read. */
export function openConnection(url: string): Connection {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
  })
  socket.on('error', () => undefined)
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  return {
    socket,
    write: (data) => void socket.write(data),
    received: () => text,
    ended: (withinMs) => {
      const late = new Promise<never>((_resolve, reject) =>
        setTimeout(() => reject(new Error(`open after ${withinMs} ms; got ${text.slice(0, 200)}`)), withinMs),
      )
      return Promise.race([closed, late])
    },
    [Symbol.dispose]: () => socket.destroy(),
  }
}

/** A request's head; lines end as HTTP wants it. */
export function head(...lines: string[]): string {
  return `${lines.join('\r\n')}\r\n\r\n`
}

/** The status, headers and parsed JSON body of an answer as it stood on the wire. */
export function readAnswer(text: string): { status: number; headers: Map<string, string>; error: unknown } {
  const [top = '', body = ''] = text.split('\r\n\r\n')
  const [statusLine = '', ...lines] = top.split('\r\n')
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
    }),
  )
  return { status: Number(statusLine.split(' ')[1]), headers, error: JSON.parse(body).error }
}
