/** Finds the server that already runs for this configuration, by asking it. */
import { request } from 'undici'
import type { Config } from '../config/config.ts'
import { readServerFile } from './server-file.ts'

const patienceMs = 2_000

/** Its address: the one in the data directory, else the configured one; undefined where neither answers. */
export async function findRunningServer(config: Config): Promise<string | undefined> {
  const known = readServerFile(config.data_dir)?.url
  if (known !== undefined && (await isHealthy(known))) return known
  const usual = configuredAddress(config)
  return usual !== undefined && (await isHealthy(usual)) ? usual : undefined
}

/** Does the data directory name another server that lives and answers? A number alone may be a stranger's by now. */
export async function isAnnouncedByAnother(dataDirectory: string): Promise<boolean> {
  const known = readServerFile(dataDirectory)
  return known !== undefined && known.pid !== process.pid && (await isHealthy(known.url))
}

/** Where a server with this configuration listens; undefined where the port is left to chance. */
function configuredAddress(config: Config): string | undefined {
  const { host, port } = config.server
  if (port === 0) return undefined
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}

/** Does a Gesso answer there? Anything else that listens is none. */
async function isHealthy(url: string): Promise<boolean> {
  const answer = await ask(`${url}/healthz`)
  return answer?.status === 200 && answer.body.status === 'ok'
}

/** What stands in the way of the server's work, in words; empty when it is ready. */
export async function whyNotReady(url: string): Promise<string[]> {
  const answer = await ask(`${url}/readyz`)
  if (answer === undefined) return ['it does not answer']
  if (answer.status === 200) return []
  const { reasons } = answer.body
  return Array.isArray(reasons) && reasons.length > 0 ? reasons.map(String) : [`it answers ${answer.status}`]
}

async function ask(url: string): Promise<{ status: number; body: Record<string, unknown> } | undefined> {
  try {
    const signal = AbortSignal.timeout(patienceMs)
    const { statusCode, body } = await request(url, { signal, reset: true })
    const json: unknown = await body.json()
    if (typeof json !== 'object' || json === null) return undefined
    return { status: statusCode, body: json as Record<string, unknown> }
  } catch {
    return undefined
  }
}
