/**
 * A Gesso as a user runs it: its own process, its own PostgreSQL, a data directory that is gone afterwards. Every
 * measurement gets a fresh one, so that its peak of memory belongs to that measurement.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startGesso } from '../test/setup/gesso-process.ts'

export interface BenchedGesso extends AsyncDisposable {
  url: string
  key: string
  /** The most memory its process has held so far (VmHWM; PostgreSQL not counted), undefined where the system does not say. */
  peakRssBytes(): number | undefined
}

const stopTimeoutMs = 10_000

/** Starts Gesso with `gpt-image-2` served by the provider at this base URL. */
export async function startBenchedGesso(upstreamBaseUrl: string): Promise<BenchedGesso> {
  const dataDir = mkdtempSync(join(tmpdir(), 'gesso-bench-data-'))
  const removeData = () => rmSync(dataDir, { recursive: true, force: true })
  const gesso = await startGesso({
    dataDir,
    env: {
      OPENAI_API_KEY: 'bench',
      OPENAI_BASE_URL: upstreamBaseUrl,
      GESSO_REQUESTS_PER_MINUTE: '10000000',
    },
  }).catch((error: unknown) => {
    killPostgres(dataDir)
    removeData()
    throw error
  })
  return {
    url: gesso.url,
    key: gesso.key,
    peakRssBytes: () => peakRssBytes(gesso.child.pid),
    async [Symbol.asyncDispose]() {
      const ended = gesso.end('SIGTERM')
      const tooLate = sleep(stopTimeoutMs, 'too late' as const, { ref: false })
      if ((await Promise.race([ended, tooLate])) === 'too late') {
        await gesso.end('SIGKILL')
        killPostgres(dataDir)
      }
      removeData()
    },
  }
}

function peakRssBytes(pid: number | undefined): number | undefined {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1_024
  } catch {
    return undefined
  }
}

/** A Gesso that was killed leaves its PostgreSQL behind on purpose; this one is of no more use. */
function killPostgres(dataDir: string): void {
  try {
    const pid = Number(readFileSync(join(dataDir, 'postgres/postmaster.pid'), 'utf8').split('\n')[0])
    // SIGQUIT ends PostgreSQL and all its processes at once; its data need not survive.
    if (pid > 0) process.kill(pid, 'SIGQUIT')
  } catch {
    // There is none, or it has ended.
  }
}
