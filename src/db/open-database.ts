/**
 * The one way to the database: a pool of connections behind Kysely's types. A lost connection is a failed
 * query, never a dead process.
 */
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { GessoError } from '../lib/errors.ts'
import type { Database } from './schema.ts'

export interface DatabaseConnection {
  connectionString?: string
  host?: string
  port?: number
  user?: string
  password?: string
  database?: string
}

export interface OpenDatabase extends AsyncDisposable {
  db: Kysely<Database>
}

const queryTimeoutMs = 30_000

/**
 * Opens a pool. `onError` hears of connections that broke while idle. Nothing connects before the first query;
 * a connection that cannot be had within 5 s fails its query.
 */
export function openDatabase(
  connection: DatabaseConnection,
  options: { poolSize: number; onError?(error: Error): void },
): OpenDatabase {
  const pool = new pg.Pool({
    ...connection,
    max: options.poolSize,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    // A server that hangs, or a network that swallows packets, must fail the query and not hold it for ever.
    query_timeout: queryTimeoutMs,
    keepAlive: true,
    application_name: `gesso ${process.pid}`,
    types: { getTypeParser },
  })
  pool.on('error', (error) => options.onError?.(error))
  // While a connection is lent out its pool does not listen, and an error nobody hears ends the process. The query
  // under way fails by itself.
  pool.on('connect', (client) => client.on('error', () => {}))
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) })
  return { db, [Symbol.asyncDispose]: () => db.destroy() }
}

const int8 = 20

/** `bigint` columns as numbers: sizes and seeds are far below 2^53, and anything above is an error, not a rounding. */
function getTypeParser(oid: number, format?: 'text' | 'binary') {
  if (oid !== int8 || format === 'binary') return pg.types.getTypeParser(oid, format as 'text')
  return (text: string) => {
    const value = Number(text)
    if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} does not fit a number`)
    return value
  }
}

/**
 * SQLSTATEs of a server that refuses, ends or cannot serve a connection (full disk, too many, read-only standby,
 * deadlock), and the system's own words for one that is not there.
 */
const connectionFailures =
  /^(08|28|3D000|53|55000|57P|40001|40P01|25006|ECONN|ENOENT|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH)/

/** Did the query fail because the database is away, rather than because of what was asked? */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof GessoError) return false
  const code = 'code' in error ? String(error.code) : ''
  return (
    connectionFailures.test(code) ||
    /timeout exceeded when trying to connect|Query read timeout|Connection terminated|Cannot use a pool after/.test(
      error.message,
    )
  )
}

/**
 * A database that is away, as the error a caller may see; anything else unchanged. Only for queries before any
 * work has begun: the caller is told that a retry is safe.
 */
export function asDatabaseError(error: unknown): unknown {
  if (!isDatabaseAway(error)) return error
  return new GessoError({
    code: 'overloaded',
    attribution: 'platform',
    message: 'The database cannot be reached at the moment. Nothing was started; try again shortly.',
    detail: `database: ${(error as Error).message}`,
    retryable: true,
    retryAfterMs: 2_000,
    cause: error,
  })
}
