/**
 * Sends requests and counts: throughput with many connections, latency with one. The load generator reads every
 * answer to its end in JavaScript and so costs something itself, the same for every target of a run. It must
 * never count an answer that failed.
 */
import autocannon from 'autocannon'

/** Somewhere to send the request to. */
export interface Target {
  url: string
  headers: Record<string, string>
  body: string
}

export interface Durations {
  warmUpSeconds: number
  throughputSeconds: number
  latencySeconds: number
}

export interface Measurement {
  /** With 16 connections. */
  requestsPerSecond: number
  /** With one connection, from the request written to the last byte of the answer. */
  p50Ms: number
  p99Ms: number
}

const manyConnections = 16

/** Warms up, then measures. Throws with the body of the first answer that is not a 200, or when `signal` aborts. */
export async function measure(
  target: Target,
  durations: Durations,
  signal: AbortSignal,
): Promise<Measurement> {
  await send(target, { connections: manyConnections, seconds: durations.warmUpSeconds }, signal)
  const many = await send(
    target,
    { connections: manyConnections, seconds: durations.throughputSeconds },
    signal,
  )
  const one = await send(target, { connections: 1, seconds: durations.latencySeconds }, signal)
  const sortedMs = one.latenciesMs.sort((a, b) => a - b)
  return {
    requestsPerSecond: many.latenciesMs.length / many.elapsedSeconds,
    p50Ms: percentile(sortedMs, 0.5),
    p99Ms: percentile(sortedMs, 0.99),
  }
}

async function send(
  target: Target,
  load: { connections: number; seconds: number },
  signal: AbortSignal,
): Promise<{ latenciesMs: number[]; elapsedSeconds: number }> {
  signal.throwIfAborted()
  const latenciesMs: number[] = []
  let failure: Error | undefined
  const fail = (reason: string) => {
    failure ??= new Error(`${target.url} ${reason}`)
    instance.stop()
  }
  const { promise: ended, resolve, reject } = Promise.withResolvers<autocannon.Result>()
  const options: autocannon.Options = {
    url: target.url,
    method: 'POST',
    headers: target.headers,
    body: target.body,
    connections: load.connections,
    duration: load.seconds,
    // How often it looks whether it is to stop.
    sampleInt: 100,
    requests: [
      {
        onResponse(status, body) {
          if (status !== 200) fail(`answered ${status}: ${body.slice(0, 2_000)}`)
        },
      },
    ],
  }
  const instance = autocannon(options, (error: Error | null, result) =>
    error ? reject(error) : resolve(result),
  )
  // Its own histogram rounds to whole milliseconds.
  instance.on('response', (_client, _status, _bytes, responseTimeMs) => latenciesMs.push(responseTimeMs))
  instance.on('reqError', (error: Error) => fail(`could not be asked: ${error.message}`))
  const stop = () => instance.stop()
  signal.addEventListener('abort', stop, { once: true })
  const { duration } = await ended
  signal.removeEventListener('abort', stop)
  signal.throwIfAborted()
  if (failure) throw failure
  if (latenciesMs.length === 0) throw new Error(`${target.url} did not answer within ${load.seconds} s`)
  return { latenciesMs, elapsedSeconds: duration }
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
