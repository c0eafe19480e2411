/**
 * Gesso's own PostgreSQL: the database for whoever sets no `DATABASE_URL`.
 *
 * It is a real server, made in the data directory at the first start, found again when an earlier Gesso was
 * killed, started again when it ends while it is used, and stopped by the last one that uses it. Must never disturb
 * a server that another Gesso uses, and never start a second one on the same data.
 */

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { locateBinaries, prepareBinaries } from './binaries.ts'
import { ClusterClaim, type ClusterConnection, type ClusterRole, isPassing } from './cluster-claim.ts'
import {
  type ClusterPaths,
  clusterPaths,
  databaseName,
  makeDataDirectory,
  refuseForeignCluster,
  superuser,
} from './cluster-paths.ts'
import { hasCode } from './error-code.ts'
import { type ClusterRecipe, clusterExists, makeCluster, makeClusterPrivate } from './make-cluster.ts'
import { readOrMakePassword, readPassword } from './password-file.ts'
import {
  judgePostmaster,
  lockFileName,
  type PostmasterRecord,
  type PostmasterState,
  readPostmasterRecord,
  removeUnrelatedLockFiles,
} from './postmaster.ts'
import { chooseRunAs } from './run-as.ts'
import { type RunAs, standardSearchPath } from './run-command.ts'
import { type StartOutcome, startPostmaster, stopPostmaster } from './start-postmaster.ts'

export { DataDirectoryInUseError } from './cluster-claim.ts'

/** What {@link openEmbeddedPostgres} needs. */
export interface EmbeddedPostgresOptions {
  /** Gesso's data directory; made with mode 0700 when it is missing. */
  dataDir: string
  /** `server` is refused where another server runs; `tool` works beside one. */
  role: ClusterRole
  /** Told why a start takes long, or that the connection was lost; sentences for the log. */
  onNotice?(text: string): void
  /** Where system programs (`unshare`, `id`, `useradd`) are looked up. */
  searchPath?: string
}

/** A running PostgreSQL. Disposing stops it unless somebody else uses it. Close all pools before. */
export interface EmbeddedPostgres extends AsyncDisposable {
  /** For `pg.Pool` and `pg.Client`. */
  readonly connection: ClusterConnection
  /** True when the server ran already, as after a kill -9 of Gesso or beside another one. */
  readonly adopted: boolean
}

// Recovery after a crash reads the log since the last checkpoint again.
const answerWaitMs = 60_000
// Remains of a killed server need about a second to end.
const startRetryMs = 10_000
const noticeAfterMs = 2_000

/**
 * Opens Gesso's PostgreSQL: makes the cluster, starts the server or finds a running one, and claims it.
 * Throws `DataDirectoryInUseError`, or an `Error` whose sentence says what to do.
 */
export async function openEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const paths = clusterPaths(options.dataDir)
  const binaries = await locateBinaries()
  await makeDataDirectory(paths.dataDir)
  await refuseForeignCluster(paths.clusterDir)
  const password = (await clusterExists(paths, binaries.major))
    ? await readPassword(paths.passwordFile)
    : await readOrMakePassword(paths.passwordFile)

  const stop = () => stopPostmaster(paths, binaries)
  const searchPath = options.searchPath ?? standardSearchPath
  const ready = await claimServer({
    paths,
    password,
    role: options.role,
    onNotice: (text) => options.onNotice?.(text),
    start: preparedStart({ paths, binaries, password, searchPath }),
    exists: () => clusterExists(paths, binaries.major),
    stop,
  })
  let leaving: Promise<void> | undefined
  return {
    connection: ready.connection,
    adopted: ready.adopted,
    [Symbol.asyncDispose]: () => {
      leaving ??= ready.claim.leave(stop)
      return leaving
    },
  }
}

interface ClaimPlan {
  paths: ClusterPaths
  password: string
  role: ClusterRole
  onNotice(text: string): void
  start(port?: number): Promise<StartOutcome>
  exists(): Promise<boolean>
  stop(): Promise<void>
}

interface ClaimedServer {
  claim: ClusterClaim
  connection: ClusterConnection
  adopted: boolean
}

/** Looks, connects, and starts what does not run, until a claim is held: others may start and stop meanwhile. */
async function claimServer(plan: ClaimPlan): Promise<ClaimedServer> {
  const { clusterDir, dataDir } = plan.paths
  const answerWait = patience(answerWaitMs, (reason) => {
    return (
      `PostgreSQL at ${clusterDir} runs, but did not answer within ${answerWaitMs / 1000} s (${reason}). Look ` +
      `into ${plan.paths.logFile}; if it recovers after a crash, start Gesso again in a while.`
    )
  })
  const startWait = patience(startRetryMs, (reason) => reason)
  let adopted = true
  for (;;) {
    const record = await readPostmasterRecord(clusterDir)
    let silence = 'it has not said where it listens'
    if (record?.address) {
      const connection = connectionTo(record.address, plan.password)
      try {
        const revive = () => restartServer(plan, connection)
        const isAlive = async () => mayRun((await lookAtServer(clusterDir)).state)
        const claim = await ClusterClaim.take({ ...plan, connection, dataDir, revive, isAlive }, plan.stop)
        return { claim, connection, adopted }
      } catch (error) {
        if (!isPassing(error)) throw explained(error, plan.paths)
        silence = error instanceof Error ? error.message : String(error)
      }
    }
    const state = record === null ? 'gone' : await judgePostmaster(clusterDir, record.pid)
    if (state === 'alive') {
      await answerWait(silence, () => plan.onNotice(`Waiting for PostgreSQL: ${silence}.`))
    } else if (record !== null && state === 'unknown') {
      await startWait(unknownProcess(clusterDir, record))
    } else {
      if (record !== null && state === 'unrelated') await removeUnrelatedLockFiles(clusterDir, record)
      // A server we started may have been stopped by its last other user; one that dies again and again may not loop.
      if (!adopted)
        await startWait(`PostgreSQL starts and ends again (${silence}). Look into ${plan.paths.logFile}.`)
      const outcome = await plan.start()
      if (outcome.kind === 'started') adopted = false
      else await startWait(outcome.reason)
    }
  }
}

/**
 * Starts a server that has ended while it was used, where its pool looks for it; answers whether it did. One that is
 * there, though it may not answer yet, is left alone; of several processes that start it, PostgreSQL lets one win.
 */
async function restartServer(plan: ClaimPlan, connection: ClusterConnection): Promise<boolean> {
  const { clusterDir } = plan.paths
  // A data directory that was taken away must not come back empty.
  if (!(await plan.exists())) throw new Error(`The PostgreSQL cluster ${clusterDir} is gone.`)
  const { record, state } = await lookAtServer(clusterDir)
  if (mayRun(state)) return false
  if (record !== null && state === 'unrelated') await removeUnrelatedLockFiles(clusterDir, record)
  return (await plan.start(connection.port)).kind === 'started'
}

/** The lock file and whose process it names. */
async function lookAtServer(clusterDir: string) {
  const record = await readPostmasterRecord(clusterDir)
  const state = record === null ? 'gone' : await judgePostmaster(clusterDir, record.pid)
  return { record, state }
}

function mayRun(state: PostmasterState): boolean {
  return state === 'alive' || state === 'unknown'
}

/** One start of the server, the cluster included; what it needs to know is found out once. */
function preparedStart(recipe: Omit<ClusterRecipe, 'runAs'>): (port?: number) => Promise<StartOutcome> {
  const { paths, binaries, searchPath } = recipe
  let prepared: Promise<RunAs> | undefined
  const prepare = async () => {
    await prepareBinaries(binaries)
    return await chooseRunAs({ paths, postgres: binaries.postgres, searchPath })
  }
  return async (port) => {
    prepared ??= prepare()
    const runAs = await prepared
    if (!(await clusterExists(paths, binaries.major))) await makeCluster({ ...recipe, runAs })
    await makeClusterPrivate(paths.clusterDir)
    return await startPostmaster({ paths, binaries, runAs, searchPath, port })
  }
}

function connectionTo(address: { host: string; port: number }, password: string): ClusterConnection {
  return { ...address, user: superuser, password, database: databaseName, ssl: false }
}

/**
 * Waiting with a limit: each call pauses a little longer, tells once when it takes long, and throws an error with
 * `failure`'s sentence when the limit is passed, counted from the first call.
 */
function patience(limitMs: number, failure: (reason: string) => string) {
  let begunMs: number | undefined
  let pauseMs = 20
  let told = false
  return async (reason: string, tell: () => void = () => {}): Promise<void> => {
    begunMs ??= Date.now()
    const waitedMs = Date.now() - begunMs
    if (waitedMs > limitMs) throw new Error(failure(reason))
    if (waitedMs > noticeAfterMs && !told) {
      told = true
      tell()
    }
    await sleep(pauseMs)
    pauseMs = Math.min(pauseMs * 1.5, 500)
  }
}

function unknownProcess(clusterDir: string, record: PostmasterRecord): string {
  const lockFile = join(clusterDir, lockFileName)
  return (
    `${lockFile} says that PostgreSQL runs as process ${record.pid}, but it does not answer. Look at that process: ` +
    'if it is not PostgreSQL, remove the file and start Gesso again; if it is, stop it first (kill -INT).'
  )
}

function explained(error: unknown, paths: ClusterPaths): unknown {
  // invalid_password
  if (!hasCode(error, '28P01')) return error
  return new Error(
    `The password in ${paths.passwordFile} does not open the PostgreSQL at ${paths.clusterDir}. Restore the file ` +
      'that belongs to it from a backup.',
    { cause: error },
  )
}
