/**
 * The tables as TypeScript sees them; `migrations/` is how they came to be. JSON columns are parsed again by
 * their owners before use. All times are `timestamptz`.
 */
import type { ColumnType, Generated } from 'kysely'

/** Written as JSON text, read as a parsed value. */
type Json = ColumnType<unknown, string | null, string | null>

/** A column that may be left out where a row is made, and is null then. */
type Optional<Value> = ColumnType<Value | null, Value | null | undefined, Value | null>

/** The limits that keys and accounts have in common; null is none. */
interface LimitColumns {
  requests_per_minute: Optional<number>
  images_per_minute: Optional<number>
  /** In any 24 hours. */
  images_per_day: Optional<number>
  /** Tasks at work at once. */
  concurrency: Optional<number>
  /** By UTC day. */
  spend_per_day_micros: Optional<number>
  /** By UTC month. */
  spend_per_month_micros: Optional<number>
  spend_total_micros: Optional<number>
}

export interface AccountsTable extends LimitColumns {
  id: string
  name: string
  /** `unmetered`: nothing is charged. `metered`: pays from quota and credit. */
  billing: 'unmetered' | 'metered'
  /** Always the sum of its ledger entries; changed with one only. */
  balance_micros: Generated<number>
  /** Held for tasks at work; never more than the balance. */
  reserved_micros: Generated<number>
  /** Free pictures in any 24 hours; null: the server's default. */
  free_images: Optional<number>
  /** What its keys fill in where neither they nor their callers say anything. */
  defaults: ColumnType<unknown, string | undefined, string>
  created_at: Generated<Date>
  disabled_at: Optional<Date>
}

export interface KeysTable extends LimitColumns {
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
  /** The models it may use, by id; null: all. */
  models: Optional<string[]>
  /** Fields that are filled in where the key's caller is silent. */
  defaults: ColumnType<unknown, string | undefined, string>
  /** Do the files of its pictures carry the prompt? */
  prompt_in_metadata: Generated<boolean>
  created_at: Generated<Date>
  expires_at: Date | null
  revoked_at: Date | null
  disabled_at: Optional<Date>
  /** To the minute. */
  last_used_at: Optional<Date>
  /** The key whose place it takes. */
  replaces: Optional<string>
  /** The first of the keys that took each other's place: they have one set of counters. Null: itself. */
  root_id: Optional<string>
}

/** One row per key, and per account with a rate: the theoretical arrival time of the generic cell rate algorithm (GCRA). */
export interface RatesTable {
  owner_id: string
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
  /** The pictures it may make while it is at work, those it made when it has ended. */
  images: Generated<number>
  /** Who pays. */
  source: Generated<'free' | 'credits' | 'user' | 'unmetered'>
  /** The most it can cost by the price list; null: it has no price. */
  quoted_micros: Optional<number>
  /** Held of the account's credit while it is at work; stays, to be compared. */
  reserved_micros: Generated<number>
  /** What it takes of spend limits: the quote while at work, then what it came to. */
  spent_micros: Generated<number>
  /** What the pictures cost by the price list; null: no price. */
  list_micros: Optional<number>
  /** What the provider asked for them; null: not known. */
  provider_micros: Optional<number>
  /** What was taken from credit. */
  charged_micros: Generated<number>
  idempotency_key: Optional<string>
  /** Of the request's operation and body, where a repetition could ask for it; null once it surely made nothing. */
  fingerprint: Optional<Buffer>
  /** Of the repetition that was last joined to it. */
  retry_count: Generated<number>
  /** When the provider was about to be asked; noted only for tasks with an idempotency key. */
  dispatched_at: Optional<Date>
  /** When its answer had left this server whole. */
  answered_at: Optional<Date>
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

/** What a key or an account spent, by the UTC day on which its tasks were made. Tasks at work are not in it. */
export interface SpendTable {
  /** A key's or an account's id. */
  owner_id: string
  day: ColumnType<Date, string, never>
  micros: number
}

/** Every movement of an account's credit. Append-only. */
export interface LedgerEntriesTable {
  id: Generated<number>
  account_id: string
  kind: 'credit' | 'adjust' | 'reserve' | 'settle' | 'release'
  task_id: Optional<string>
  /** What it does to the balance. */
  amount_micros: number
  /** What it does to what is held. */
  reserved_micros: number
  balance_after_micros: number
  reserved_after_micros: number
  /** The operator's own id of a credit or adjustment: a second one with it changes nothing. */
  reference: Optional<string>
  note: Optional<string>
  created_at: Date
}

/** An account's own key for a provider, encrypted. */
export interface ProviderKeysTable {
  account_id: string
  provider: string
  /** Which of the server's secrets it is encrypted with. */
  secret_id: string
  sealed: Buffer
  /** The last characters, for people to recognise it by. */
  hint: string
  created_at: Date
  tested_at: Optional<Date>
  test_result: Optional<string>
}

/** What repeats a request of an account, for as long as it is remembered. */
export interface IdempotencyKeysTable {
  account_id: string
  key: string
  fingerprint: Buffer
  task_id: string
  expires_at: Date
}

/** Who changed what. Append-only. */
export interface AuditLogTable {
  id: Generated<number>
  at: Date
  /** A key's id, or `cli`. */
  actor: string
  /** Such as `key.created`. */
  action: string
  /** The id of what was changed. */
  target: string
  account_id: Optional<string>
  before: ColumnType<unknown, string | null | undefined, never>
  after: ColumnType<unknown, string | null | undefined, never>
  request_id: Optional<string>
}

export interface Database {
  accounts: AccountsTable
  keys: KeysTable
  rates: RatesTable
  nodes: NodesTable
  tasks: TasksTable
  images: ImagesTable
  buckets: BucketsTable
  operations: OperationsTable
  spend: SpendTable
  ledger_entries: LedgerEntriesTable
  provider_keys: ProviderKeysTable
  idempotency_keys: IdempotencyKeysTable
  audit_log: AuditLogTable
}
