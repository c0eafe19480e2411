/**
 * Money and limits: what accounts hold and may spend, the ledger, what tasks cost, stored provider keys, idempotency keys
 * and the audit log.
 */
import { type Kysely, sql } from 'kysely'
import { installFunctions } from '../functions/install-functions.ts'

/** The limits that keys and accounts have in common; null is none. */
const limits = sql`
  add column images_per_minute integer check (images_per_minute > 0),
  add column images_per_day integer check (images_per_day > 0),
  add column concurrency integer check (concurrency > 0),
  add column spend_per_day_micros bigint check (spend_per_day_micros >= 0),
  add column spend_per_month_micros bigint check (spend_per_month_micros >= 0),
  add column spend_total_micros bigint check (spend_total_micros >= 0)`

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table accounts ${limits},
      add column requests_per_minute integer check (requests_per_minute > 0),
      add column balance_micros bigint not null default 0,
      add column reserved_micros bigint not null default 0,
      add column free_images integer check (free_images >= 0),
      add column defaults jsonb not null default '{}',
      add column disabled_at timestamptz,
      add check (reserved_micros >= 0 and balance_micros >= reserved_micros)`.execute(db)
  await sql`
    alter table keys ${limits},
      add column models text[],
      add column disabled_at timestamptz,
      add column last_used_at timestamptz,
      add column replaces text references keys,
      add column root_id text references keys`.execute(db)

  await sql`create index keys_by_root on keys (root_id) where root_id is not null`.execute(db)

  // Of keys and of accounts. Locking a key's row is what puts the admissions of one key in a row.
  await sql`
    create table rates (
      owner_id text primary key,
      theoretical_arrival timestamptz not null
    ) with (fillfactor = 50)`.execute(db)
  await sql`insert into rates select key_id, theoretical_arrival from request_rates`.execute(db)
  await sql`drop table request_rates`.execute(db)

  await sql`
    alter table tasks
      add column images integer not null default 0 check (images >= 0),
      add column source text not null default 'unmetered' check (source in ('free', 'credits', 'user', 'unmetered')),
      add column quoted_micros bigint check (quoted_micros >= 0),
      add column reserved_micros bigint not null default 0 check (reserved_micros >= 0),
      add column spent_micros bigint not null default 0 check (spent_micros >= 0),
      add column list_micros bigint check (list_micros >= 0),
      add column provider_micros bigint check (provider_micros >= 0),
      add column charged_micros bigint not null default 0 check (charged_micros between 0 and reserved_micros),
      add column idempotency_key text,
      add column fingerprint bytea,
      add column retry_count integer not null default 0,
      add column dispatched_at timestamptz,
      add column answered_at timestamptz`.execute(db)
  await sql`
    update tasks set images = (select count(*) from images where task_id = tasks.id) where status = 'SUCCEEDED'`.execute(
    db,
  )
  await sql`create index tasks_at_work_by_key on tasks (key_id) where status in ('QUEUED', 'IN_PROGRESS')`.execute(
    db,
  )
  await sql`
    create index tasks_at_work_by_account on tasks (account_id) where status in ('QUEUED', 'IN_PROGRESS')`.execute(
    db,
  )
  await sql`create index tasks_by_time on tasks using brin (created_at)`.execute(db)
  await sql`create index tasks_by_key on tasks (key_id, created_at) where images > 0`.execute(db)
  await sql`
    create index tasks_free on tasks (account_id, completed_at) where source = 'free' and status = 'SUCCEEDED'`.execute(
    db,
  )
  await sql`
    create index tasks_unanswered on tasks (key_id, fingerprint)
    where fingerprint is not null and answered_at is null`.execute(db)

  // What keys and accounts have spent, by the UTC day on which the task was made. Tasks at work are not in it.
  await sql`
    create table spend (
      owner_id text not null,
      day date not null,
      micros bigint not null,
      primary key (owner_id, day)
    ) with (fillfactor = 70)`.execute(db)

  await sql`
    create table ledger_entries (
      id bigint generated always as identity primary key,
      account_id text not null references accounts,
      kind text not null check (kind in ('credit', 'adjust', 'reserve', 'settle', 'release')),
      task_id text references tasks,
      amount_micros bigint not null,
      reserved_micros bigint not null,
      balance_after_micros bigint not null,
      reserved_after_micros bigint not null,
      reference text,
      note text,
      created_at timestamptz not null,
      check ((kind in ('reserve', 'settle', 'release')) <= (task_id is not null)),
      check (kind <> 'credit' or amount_micros > 0 and reserved_micros = 0),
      check (kind <> 'adjust' or amount_micros <> 0 and reserved_micros = 0),
      check (kind <> 'reserve' or amount_micros = 0 and reserved_micros > 0),
      check (kind <> 'settle' or amount_micros <= 0 and reserved_micros < 0 and amount_micros >= reserved_micros),
      check (kind <> 'release' or amount_micros = 0 and reserved_micros < 0)
    )`.execute(db)
  await sql`create index ledger_by_account on ledger_entries (account_id, id desc)`.execute(db)
  await sql`create index ledger_by_task on ledger_entries (task_id) where task_id is not null`.execute(db)
  await sql`
    create unique index ledger_reserves_once on ledger_entries (task_id) where kind = 'reserve'`.execute(db)
  await sql`
    create unique index ledger_resolves_once on ledger_entries (task_id) where kind in ('settle', 'release')`.execute(
    db,
  )
  await sql`
    create unique index ledger_by_reference on ledger_entries (account_id, reference)
    where reference is not null`.execute(db)
  await sql`
    create function refuse_change() returns trigger language plpgsql as $$
    begin
      raise exception '% is append-only', tg_table_name;
    end $$`.execute(db)
  await sql`
    create trigger ledger_is_append_only before update or delete or truncate on ledger_entries
    for each statement execute function refuse_change()`.execute(db)

  await sql`
    create table provider_keys (
      account_id text not null references accounts,
      provider text not null,
      secret_id text not null,
      sealed bytea not null,
      hint text not null,
      created_at timestamptz not null,
      tested_at timestamptz,
      test_result text,
      primary key (account_id, provider)
    )`.execute(db)

  await sql`
    create table idempotency_keys (
      account_id text not null references accounts,
      key text not null,
      fingerprint bytea not null,
      task_id text not null,
      expires_at timestamptz not null,
      primary key (account_id, key)
    )`.execute(db)
  await sql`create index idempotency_keys_by_task on idempotency_keys (task_id)`.execute(db)
  await sql`create index idempotency_keys_by_expiry on idempotency_keys (expires_at)`.execute(db)

  await sql`
    create table audit_log (
      id bigint generated always as identity primary key,
      at timestamptz not null,
      actor text not null,
      action text not null,
      target text not null,
      account_id text,
      before jsonb,
      after jsonb,
      request_id text
    )`.execute(db)
  await sql`create index audit_by_target on audit_log (target, id desc)`.execute(db)
  await sql`create index audit_by_account on audit_log (account_id, id desc)`.execute(db)
  await sql`
    create trigger audit_is_append_only before update or delete or truncate on audit_log
    for each statement execute function refuse_change()`.execute(db)

  await installFunctions(db)
}
