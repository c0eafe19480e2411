/**
 * Looks at the server process of a cluster from outside: is there one, where does it listen, whose is it.
 *
 * A server outlives a killed Gesso, and its lock file outlives a killed server, so the file alone proves
 * nothing. Must never signal a process, nor remove a lock file, without knowing whose process that is.
 */

import { link, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { hasCode, nullIfMissing } from './error-code.ts'

/** The name of the lock file inside a cluster, from PostgreSQL's `miscadmin.h`. */
export const lockFileName = 'postmaster.pid'

/** What `postmaster.pid` says. */
export interface PostmasterRecord {
  readonly pid: number
  /** Null while the server has not yet written where it listens. */
  readonly address: { readonly host: string; readonly port: number } | null
  /** The file as it was read, to recognise it again. */
  readonly text: string
}

/**
 * - `alive`: the process is (or may well be) this cluster's server.
 * - `gone`: there is no such process; PostgreSQL replaces the file by itself.
 * - `unrelated`: the number belongs to another program now, or to a dead server that its parent has not yet
 *   noticed, and no process of this cluster is left.
 * - `unknown`: there is such a process, and this system does not tell what it is.
 */
export type PostmasterState = 'alive' | 'gone' | 'unrelated' | 'unknown'

/** Reads the lock file; null when there is none. Lines as in PostgreSQL's `pidfile.h`. */
export async function readPostmasterRecord(clusterDir: string): Promise<PostmasterRecord | null> {
  const text = await nullIfMissing(readFile(join(clusterDir, lockFileName), 'utf8'))
  if (text === null) return null
  const [pidLine = '', , , portLine = '', socketDir = '', listenAddress = ''] = text.split('\n')
  // A server in single-user mode writes its number with a minus sign. 0 stands for a file not yet filled.
  const pid = Math.abs(Number.parseInt(pidLine, 10)) || 0
  const port = Number.parseInt(portLine, 10)
  if (!(port > 0)) return { pid, address: null, text }
  if (socketDir.trim() !== '') {
    const host = isAbsolute(socketDir) ? socketDir : join(clusterDir, socketDir)
    return { pid, address: { host, port }, text }
  }
  return { pid, address: listenAddress.trim() === '' ? null : { host: '127.0.0.1', port }, text }
}

/** Whose process the lock file names. */
export async function judgePostmaster(clusterDir: string, pid: number): Promise<PostmasterState> {
  if (process.platform !== 'linux') return isRunning(pid) ? 'unknown' : 'gone'
  const ofThisCluster = await clusterProcesses(clusterDir)
  if (ofThisCluster.includes(pid)) return 'alive'
  // An empty file is a server about to fill it, or one that died before it could.
  if (pid !== 0 && !isRunning(pid)) return 'gone'
  return ofThisCluster.length === 0 ? 'unrelated' : 'unknown'
}

/**
 * Removes a lock file that names an unrelated process, which PostgreSQL itself would obey for as long as that
 * process is there.
 *
 * Safe, because a process of this cluster has the cluster as its working directory from before it writes the
 * file until its end, and none has: so nobody uses the data. Should a server start in this very moment, then the
 * file taken away is not the one judged, and it is put back. Sessions that hide from the search would still hold
 * the shared memory that PostgreSQL finds by the cluster's inode, and a second server would refuse to start.
 */
export async function removeUnrelatedLockFiles(clusterDir: string, judged: PostmasterRecord): Promise<void> {
  const lockFile = join(clusterDir, lockFileName)
  const aside = `${lockFile}.stale-${process.pid}`
  try {
    await rename(lockFile, aside)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return
    throw error
  }
  if ((await readFile(aside, 'utf8')) === judged.text) {
    const port = judged.text.split('\n')[3]?.trim()
    if (port) await rm(join(clusterDir, `.s.PGSQL.${port}.lock`), { force: true })
  } else {
    await link(aside, lockFile).catch((error: unknown) => {
      if (!hasCode(error, 'EEXIST')) throw error
    })
  }
  await rm(aside, { force: true })
}

/** Whether the number belongs to a process; also to one that has ended and waits for its parent to notice. */
export function isRunning(pid: number): boolean {
  if (!(pid > 0)) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return hasCode(error, 'EPERM')
  }
}

/** The PostgreSQL processes that work in this cluster, with those that may but do not let us look. */
async function clusterProcesses(clusterDir: string): Promise<number[]> {
  const cluster = await stat(clusterDir)
  const found: number[] = []
  for (const name of await readdir('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid)) continue
    const program = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')
    if (program.trim() !== 'postgres') continue
    try {
      const workingDirectory = await stat(`/proc/${pid}/cwd`)
      if (workingDirectory.ino === cluster.ino && workingDirectory.dev === cluster.dev) found.push(pid)
    } catch (error) {
      // In a container root may not look into other users' processes; the owner still excludes most of them.
      if (!hasCode(error, 'EACCES', 'EPERM')) continue
      const owner = await stat(`/proc/${pid}`).catch(() => null)
      if (owner?.uid === cluster.uid) found.push(pid)
    }
  }
  return found
}
