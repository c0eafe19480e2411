/**
 * The tables as TypeScript sees them; `migrations/` is how they came to be. JSON columns are parsed again by
 * their owners before use. All times are `timestamptz`.
 */
import type { ColumnType, Generated } from 'kysely'

/** Written as JSON text, read as a parsed value. */
type Json = ColumnType<unknown, string | null, string | null>

export interface AccountsTable {
  id: string
  name: string
  /** `unmetered`: nothing is charged. `metered`: pays from quota and credit. */
  billing: 'unmetered' | 'metered'
  created_at: Generated<Date>
}

export interface KeysTable {
  id: string
  account_id: string
  name: string
  /** SHA-256 of the whole key. The key itself is nowhere. */
  hash: Buffer
  /** The first characters, for people to recognise a key by. */
  hint: string
  scopes: string[]
  /** `created` by somebody, made at the `first` start, or `configured` as GESSO_ADMIN_KEY. */
  origin: 'created' | 'first' | 'configured'
  /** Null: the server's default. */
  requests_per_minute: number | null
  /** Fields that are filled in where the key's caller is silent. */
  defaults: ColumnType<unknown, string | undefined, string>
  /** Do the files of its pictures carry the prompt? */
  prompt_in_metadata: Generated<boolean>
  created_at: Generated<Date>
  expires_at: Date | null
  revoked_at: Date | null
}

/** One row per key: the theoretical arrival time of the generic cell rate algorithm (GCRA). */
export interface RequestRatesTable {
  key_id: string
  theoretical_arrival: Date
}

/** One row per living process; the lease of every task that the process runs. */
export interface NodesTable {
  id: string
  host: string
  pid: number
  started_at: Generated<Date>
  heartbeat_at: Date
}

export interface TasksTable {
  id: string
  account_id: string
  key_id: string
  request_id: string
  status: 'QUEUED' | 'IN_PROGRESS' | 'SUCCEEDED' | 'FAILED' | 'CANCELED'
  mode: 'generation' | 'edit'
  model: string
  provider: string
  upstream_model: string
  /** The internal request, without bytes. */
  request: Json
  /** The node that may record the outcome. */
  node_id: string | null
  created_at: Date
  started_at: Date | null
  completed_at: Date | null
  /** When the result stops being available. */
  expires_at: Date | null
  result: Json
  error: Json
  /** What it takes to end the task; only while a provider is at work on it. */
  work: Json
}

/** Work that a provider has accepted: one row per call of a task. */
export interface OperationsTable {
  task_id: string
  call: number
  operation: Json
  accepted_at: Date
}

export interface ImagesTable {
  id: string
  task_id: string
  account_id: string
  bucket_id: string | null
  /** May it be fetched under `/api/i/` by whoever knows its id? */
  permanent_link: Generated<boolean>
  /** 0 … n-1 within its task. */
  position: number
  format: 'png' | 'jpeg' | 'webp' | 'gif' | 'avif'
  width: number
  height: number
  size_bytes: number
  sha256: Buffer
  object_key: string
  seed: number | null
  revised_prompt: string | null
  created_at: Date
}

/** A label of an account's pictures, made at its first use. */
export interface BucketsTable {
  id: string
  account_id: string
  /** Lower-case kebab, 1–64 characters. */
  name: string
  is_public: Generated<boolean>
  created_at: Date
}

export interface Database {
  accounts: AccountsTable
  keys: KeysTable
  request_rates: RequestRatesTable
  nodes: NodesTable
  tasks: TasksTable
  images: ImagesTable
  buckets: BucketsTable
  operations: OperationsTable
}
