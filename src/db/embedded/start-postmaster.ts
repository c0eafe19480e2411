/**
 * Starts and stops the server process of a cluster.
 *
 * pg_ctl puts the server into a session of its own, so that neither Ctrl-C in our terminal nor our own death
 * reaches it. Must never let it listen on more than one address, nor on anything but a private socket or loopback.
 */

import { chown, open, rename, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type PostgresBinaries, prepareBinaries } from './binaries.ts'
import type { ClusterPaths } from './cluster-paths.ts'
import { nullIfMissing } from './error-code.ts'
import { judgePostmaster, readPostmasterRecord } from './postmaster.ts'
import { CommandFailedError, type RunAs, runCommand } from './run-command.ts'

const socketPort = 5432
// `sun_path` holds 108 bytes on Linux and 104 on macOS, with the closing zero.
const socketPathLimitBytes = 103
const logLimitBytes = 10 * 1024 * 1024
const startWaitSeconds = 5
const stopWaitMs = 60_000
const orderlyStopMs = 15_000

/** Failures that pass by themselves: remains of a killed server that still end, another start, a port just taken. */
const passingFailure =
  /lock file|pre-existing shared memory|server did not start in time|could not bind|could not create any/

/** What starting needs. */
export interface StartRecipe {
  paths: ClusterPaths
  binaries: PostgresBinaries
  runAs: RunAs
  searchPath: string
  /** The loopback port of an earlier start, for those who still look there. Left out, and without a socket: a free one. */
  port?: number | undefined
}

/** `busy`: the start failed, or takes long, in a way that passes by itself. */
export type StartOutcome = { kind: 'started' } | { kind: 'busy'; reason: string }

/** Starts the server. Throws with the end of the server's log where trying again would not help. */
export async function startPostmaster(recipe: StartRecipe): Promise<StartOutcome> {
  const { paths, runAs } = recipe
  const logStart = await openLog(paths.logFile, runAs)
  const args = ['start', '-w', '-t', String(startWaitSeconds), '-D', 'postgres', '-l', 'postgres.log']
  try {
    await runCommand({
      command: recipe.binaries.pgCtl,
      args: [...args, '-o', await listenOptions(recipe)],
      runAs,
      // Relative names keep the data directory's path, whatever is in it, out of pg_ctl's shell command.
      cwd: paths.dataDir,
      searchPath: recipe.searchPath,
    })
    return { kind: 'started' }
  } catch (error) {
    if (!(error instanceof CommandFailedError)) throw error
    const log = await readLogSince(paths.logFile, logStart)
    const reason = `PostgreSQL did not start. ${error.message}\n${log}`.trim()
    if (passingFailure.test(reason)) return { kind: 'busy', reason }
    throw new Error(`${reason}\nThe whole log is in ${paths.logFile}.`, { cause: error })
  }
}

/**
 * Stops the server (open sessions are ended, the data is written) and waits until it is gone.
 *
 * One that has not ended after `orderlyMs` is told to leave at once: PostgreSQL 18 that is asked to stop while it
 * recovers from a crashed session may wait for ever. Nothing that was committed is lost; the next start reads the log.
 */
export async function stopPostmaster(
  paths: ClusterPaths,
  binaries: PostgresBinaries,
  orderlyMs = orderlyStopMs,
): Promise<void> {
  const record = await readPostmasterRecord(paths.clusterDir)
  if (record === null) return
  if (process.platform === 'win32') {
    await prepareBinaries(binaries)
    const args = ['stop', '-m', 'fast', '-w', '-D', 'postgres']
    await runCommand({ command: binaries.pgCtl, args, cwd: paths.dataDir, timeoutMs: stopWaitMs })
    return
  }
  // In a container that shares the data directory with another one, the number may mean a stranger here.
  const state = await judgePostmaster(paths.clusterDir, record.pid)
  if (state === 'gone') return
  if (state !== 'alive' && process.platform === 'linux') {
    throw new Error(`PostgreSQL at ${paths.clusterDir} is not a process of this system.`)
  }
  process.kill(record.pid, 'SIGINT')
  const begunMs = Date.now()
  let urged = false
  while ((await readPostmasterRecord(paths.clusterDir))?.pid === record.pid) {
    const now = await judgePostmaster(paths.clusterDir, record.pid)
    if (now === 'gone' || now === 'unrelated') return
    const waitedMs = Date.now() - begunMs
    if (waitedMs > orderlyMs && !urged) {
      process.kill(record.pid, 'SIGQUIT')
      urged = true
    }
    if (waitedMs > stopWaitMs) {
      throw new Error(`PostgreSQL (process ${record.pid}) did not stop within ${stopWaitMs / 1000} s.`)
    }
    await sleep(10)
  }
}

/** Command-line settings: a socket in the cluster's private folder where its path fits, else a loopback port. */
async function listenOptions({ paths, port }: StartRecipe): Promise<string> {
  const socketPath = join(paths.clusterDir, `.s.PGSQL.${socketPort}`)
  if (process.platform !== 'win32' && Buffer.byteLength(socketPath) <= socketPathLimitBytes) {
    return `-c listen_addresses= -c unix_socket_directories=. -c unix_socket_permissions=0700 -c port=${socketPort}`
  }
  return `-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c port=${port ?? (await freePort())}`
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('No free port on 127.0.0.1.')
  return address.port
}

/** Makes the log private before PostgreSQL writes to it, and sets a full one aside. Gives its size in bytes. */
async function openLog(logFile: string, runAs: RunAs): Promise<number> {
  const old = await nullIfMissing(stat(logFile))
  if (old !== null && old.size > logLimitBytes) await rename(logFile, `${logFile}.old`)
  await using file = await open(logFile, 'a', 0o600)
  if (runAs.uid !== undefined && runAs.gid !== undefined) await chown(logFile, runAs.uid, runAs.gid)
  return (await file.stat()).size
}

async function readLogSince(logFile: string, start: number): Promise<string> {
  await using file = await open(logFile, 'r')
  const { size } = await file.stat()
  const from = Math.max(start, size - 4_000)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.max(1, size - from)), { position: from })
  return buffer.toString('utf8', 0, bytesRead).trim()
}
