/**
 * Tidies up what processes that were killed left in the spool's folder. It takes only folders that a spool made, and
 * never those of a process that may still be alive: their files are somebody's pictures in work.
 */
import { randomUUID } from 'node:crypto'
import { readdir, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

/** Of another machine, only the age of a folder tells whether anybody is there. No request takes as long. */
const abandonedAfterMs = 24 * 3_600_000
const spoolFolder = /^(?<host>.+)-(?<pid>\d+)-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** A name that says whose folder it is. */
export function spoolFolderName(): string {
  return `${ownHost()}-${process.pid}-${randomUUID()}`
}

/** Removes what processes that are gone left behind. Call it once at start, before a spool is opened. */
export async function sweepSpool(directory: string): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    const owner = spoolFolder.exec(name)?.groups
    const path = join(directory, name)
    const found = await stat(path).catch(() => undefined)
    if (!owner || !found?.isDirectory()) continue
    const isOld = Date.now() - found.mtimeMs > abandonedAfterMs
    const isGone = owner.host === ownHost() && !isAlive(Number(owner.pid), found.mtimeMs)
    if (isOld || isGone) await rm(path, { recursive: true, force: true })
  }
}

function ownHost(): string {
  return hostname().replace(/[^A-Za-z0-9.-]/g, '_') || 'localhost'
}

/** In a container every process has the same id: a folder from before this one began is that of a former one. */
function isAlive(pid: number, lastUsedAtMs: number): boolean {
  if (pid === process.pid) return lastUsedAtMs >= Date.now() - process.uptime() * 1_000
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
