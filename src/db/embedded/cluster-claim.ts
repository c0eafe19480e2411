/**
 * One process's claim on a running cluster: a connection of its own that holds advisory locks.
 *
 * The locks say who uses the cluster. Everyone shares the users' lock, so that only the last one to leave stops
 * PostgreSQL; a server also holds the server lock alone. PostgreSQL frees them when their holder dies, whatever
 * kills it. Must never crash the process when the connection is lost: in the background the server is started again
 * where it has ended, and claimed again.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { databaseName } from './cluster-paths.ts'
import { hasCode } from './error-code.ts'

/** Where a cluster answers, with the means to log in. For `pg.Pool` and `pg.Client`. */
export interface ClusterConnection {
  /** A socket directory, or 127.0.0.1. */
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
  /** Said outright, so that PGSSLMODE in the environment does not ask a local socket for TLS. */
  readonly ssl: false
}

/** `server`: the one Gesso that serves. `tool`: a command that works beside it. */
export type ClusterRole = 'server' | 'tool'

/** What a claim needs. */
export interface ClaimOptions {
  connection: ClusterConnection
  role: ClusterRole
  dataDir: string
  /**
   * Starts the server again where it has ended, at the same address; answers whether it did. Called while a lost
   * connection cannot be had again; throws where starting fails.
   */
  revive(): Promise<boolean>
  /** Whether the server's process is there, though it may not answer. */
  isAlive(): Promise<boolean>
  onNotice(text: string): void
}

/** Another server uses the data directory. */
export class DataDirectoryInUseError extends Error {
  override name = 'DataDirectoryInUseError'
}

// Advisory locks belong to a database. Everyone meets in this one, which every cluster has from its beginning.
const meetingDatabase = 'postgres'
// 'gess' in ASCII, and two numbers that must never change: old and new versions meet on them.
const lockClass = 0x67657373
const serverLock = 1
const usersLock = 2

const serverLockWaitMs = 3_000
const connectTimeoutMs = 5_000
const firstReclaimMs = 100
const slowestReclaimMs = 1_000
// A crashed session keeps the server from answering for as long as recovery takes.
const leaveWaitMs = 30_000

/** Error codes of a server that is coming up, going down, or not there. */
const passingCodes = [
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now: starting, recovering or stopping
  '53300', // too_many_connections
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
]

/** True when the server may answer in a moment, or may have to be started. */
export function isPassing(error: unknown): boolean {
  return (
    error instanceof ClusterStoppingError ||
    hasCode(error, ...passingCodes) ||
    // pg gives no code when the other side closes the connection, nor for one that is lost already.
    (error instanceof Error && /^Connection terminated|timeout expired|not queryable$/.test(error.message))
  )
}

/** Somebody is stopping the server at this moment. */
class ClusterStoppingError extends Error {
  override name = 'ClusterStoppingError'
}

/** A held claim. `leave` gives it up. */
export class ClusterClaim {
  readonly #options: ClaimOptions
  readonly #leaving = new AbortController()
  #client: pg.Client | null = null
  #reclaiming: Promise<void> = Promise.resolve()

  private constructor(options: ClaimOptions) {
    this.#options = options
  }

  /**
   * Connects and takes the locks; makes Gesso's database when it is missing. Throws
   * {@link DataDirectoryInUseError}, or an error for which {@link isPassing} holds.
   * `stop` stops the server, in case a refused process turns out to be its last user.
   */
  static async take(options: ClaimOptions, stop: () => Promise<void>): Promise<ClusterClaim> {
    const claim = new ClusterClaim(options)
    try {
      await claim.#connect(serverLockWaitMs)
    } catch (error) {
      if (error instanceof DataDirectoryInUseError) await claim.leave(stop)
      throw error
    }
    return claim
  }

  /** Frees the locks and, when nobody else uses the cluster, calls `stop` while no one can join. */
  async leave(stop: () => Promise<void>): Promise<void> {
    this.#leaving.abort()
    await this.#reclaiming
    const held = this.#client
    this.#client = null
    if (held !== null && (await leaveThrough(held, stop))) return
    // The connection was lost. A server that has ended needs no stopping; one that recovers answers in a while.
    for (const deadline = Date.now() + leaveWaitMs; Date.now() < deadline; await sleep(firstReclaimMs)) {
      if (!(await this.#options.isAlive())) return
      const client = await openClient(this.#options).catch(() => null)
      if (client === null) continue
      // The others have lost their locks as well: they get the time to take them again.
      await sleep(2 * slowestReclaimMs)
      if (await leaveThrough(client, stop)) return
    }
  }

  async #connect(waitMs: number): Promise<void> {
    const client = await openClient(this.#options)
    try {
      if (!(await tryLock(client, 'pg_try_advisory_lock_shared', usersLock))) {
        throw new ClusterStoppingError('PostgreSQL is being stopped by another Gesso.')
      }
      if (this.#options.role === 'server') await takeServerLock(client, this.#options.dataDir, waitMs)
      await makeDatabase(client)
    } catch (error) {
      // The refused one still counts as a user, and leaves like one.
      if (error instanceof DataDirectoryInUseError && !this.#leaving.signal.aborted) this.#client = client
      else await endQuietly(client)
      throw error
    }
    this.#client = client
    client.once('end', () => {
      if (this.#client !== client || this.#leaving.signal.aborted) return
      this.#client = null
      this.#reclaiming = this.#reclaim()
    })
  }

  /**
   * The locks went with the connection: takes them again. A session that crashed makes PostgreSQL restart itself; a
   * PostgreSQL that was killed is started again here. The slowest pace is still a pace: whoever waits for the
   * database waits for this.
   */
  async #reclaim(): Promise<void> {
    const { signal } = this.#leaving
    let told = ''
    const tell = (error: unknown) => {
      const text = messageOf(error)
      if (text !== told) this.#options.onNotice(`The connection to PostgreSQL was lost: ${text}`)
      told = text
    }
    for (let delayMs = firstReclaimMs; !signal.aborted; delayMs = Math.min(delayMs * 2, slowestReclaimMs)) {
      try {
        await sleep(delayMs, undefined, { signal, ref: false })
        await this.#connect(0)
        return
      } catch (error) {
        if (error instanceof DataDirectoryInUseError) await this.#drop()
        if (signal.aborted) return
        // One line for each kind of trouble, not one for each attempt.
        const failure = isPassing(error) ? await this.#revive(error) : error
        if (failure !== null) tell(failure)
      }
    }
  }

  /** Null where the server was started; else what stands in the way, which is `silence` where a server runs. */
  async #revive(silence: unknown): Promise<unknown> {
    try {
      if (!(await this.#options.revive())) return silence
      this.#options.onNotice('PostgreSQL had ended while Gesso used it, and was started again.')
      return null
    } catch (error) {
      return error
    }
  }

  async #drop(): Promise<void> {
    const client = this.#client
    this.#client = null
    if (client !== null) await endQuietly(client)
  }
}

/** Answers whether the question for others could be put: false where the connection is lost. Ends it. */
async function leaveThrough(client: pg.Client, stop: () => Promise<void>): Promise<boolean> {
  try {
    // First free, then try alone: of two that leave at once, the later one finds itself alone.
    await client.query('select pg_advisory_unlock_all()')
    const alone = await tryLock(client, 'pg_try_advisory_lock', usersLock)
    if (alone) await stop()
    return true
  } catch (error) {
    if (!isPassing(error)) throw error
    return false
  } finally {
    await endQuietly(client)
  }
}

async function openClient({ connection, role }: ClaimOptions): Promise<pg.Client> {
  const client = new pg.Client({
    ...connection,
    database: meetingDatabase,
    application_name: `gesso ${role} ${process.pid}`,
    connectionTimeoutMillis: connectTimeoutMs,
  })
  // Without a listener a lost connection would end the process; queries under way fail by themselves.
  client.on('error', () => {})
  try {
    await client.connect()
  } catch (error) {
    await endQuietly(client)
    throw error
  }
  return client
}

async function takeServerLock(client: pg.Client, dataDir: string, waitMs: number): Promise<void> {
  // PostgreSQL notices a killed holder a moment after its death.
  const deadline = Date.now() + waitMs
  while (!(await tryLock(client, 'pg_try_advisory_lock', serverLock))) {
    if (Date.now() >= deadline) {
      const pid = await findServerProcess(client)
      throw new DataDirectoryInUseError(
        `Another Gesso already uses the data directory ${dataDir}${pid === null ? '' : ` (process ${pid})`}. ` +
          'Stop it first, or give this one its own with GESSO_DATA_DIR.',
      )
    }
    await sleep(100)
  }
}

type LockFunction = 'pg_try_advisory_lock' | 'pg_try_advisory_lock_shared'

async function tryLock(client: pg.Client, lockFunction: LockFunction, key: number): Promise<boolean> {
  const sql = `select ${lockFunction}($1::int, $2::int) as locked`
  const { rows } = await client.query<{ locked: boolean }>(sql, [lockClass, key])
  return rows[0]?.locked === true
}

/** The process id of the Gesso that holds the server lock. */
async function findServerProcess(client: pg.Client): Promise<string | null> {
  const { rows } = await client.query<{ name: string }>(
    `select a.application_name as name
       from pg_locks l join pg_stat_activity a using (pid)
      where l.locktype = 'advisory' and l.granted and l.mode = 'ExclusiveLock'
        and l.classid::bigint = $1 and l.objid::bigint = $2`,
    [lockClass, serverLock],
  )
  return /^gesso server (\d+)$/.exec(rows[0]?.name ?? '')?.[1] ?? null
}

async function makeDatabase(client: pg.Client): Promise<void> {
  const { rowCount } = await client.query('select from pg_database where datname = $1', [databaseName])
  if (rowCount !== 0) return
  try {
    await client.query(`create database ${databaseName}`)
  } catch (error) {
    // duplicate_database, unique_violation: another process made it at the same time.
    if (!hasCode(error, '42P04', '23505')) throw error
  }
}

async function endQuietly(client: pg.Client): Promise<void> {
  await client.end().catch(() => {})
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
