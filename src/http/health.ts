/** `/healthz` (the process lives) and `/readyz` (it can do its work). Neither ever calls a provider. */
import type { FastifyInstance } from 'fastify'

export interface HealthDependencies {
  /** What stands in the way of work, in words; empty when ready. */
  notReady(): Promise<string[]>
}

export function health(server: FastifyInstance, dependencies: HealthDependencies): void {
  const schema = { hide: true }
  const notReady = askRarely(() => dependencies.notReady())
  server.get('/healthz', { config: { access: 'public' }, schema, logLevel: 'silent' }, async () => ({
    status: 'ok',
  }))
  server.get(
    '/readyz',
    { config: { access: 'public' }, schema, logLevel: 'silent' },
    async (_request, reply) => {
      const reasons = await notReady()
      if (reasons.length > 0) reply.code(503)
      return reasons.length === 0 ? { status: 'ready' } : { status: 'not ready', reasons }
    },
  )
}

/** How long an outcome is told again. Anybody may ask, and a look writes to the disk and asks the database. */
const freshMs = 1_000
const lookTimeoutMs = 2_000

/** One look at a time, however many ask; one that does not come back in time is an answer as well. */
function askRarely(look: () => Promise<string[]>): () => Promise<string[]> {
  let looking: Promise<string[]> | undefined
  let answer: Promise<string[]> | undefined
  return () => {
    answer ??= (async () => {
      // A look that hangs is waited for again, not begun a second time.
      looking ??= look().finally(() => {
        looking = undefined
      })
      const reasons = await inTime(looking)
      setTimeout(() => {
        answer = undefined
      }, freshMs).unref()
      return reasons
    })()
    return answer
  }
}

async function inTime(looking: Promise<string[]>): Promise<string[]> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string[]>((resolve) => {
    timer = setTimeout(() => resolve(['the database does not answer, or the object store']), lookTimeoutMs)
  })
  const failed = ['the checks could not be made']
  return Promise.race([looking.catch(() => failed), late]).finally(() => clearTimeout(timer))
}
