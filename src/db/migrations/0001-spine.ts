/** Accounts, keys, their request rate, living processes, tasks and pictures. */
import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table accounts (
      id text primary key,
      name text not null,
      billing text not null check (billing in ('unmetered', 'metered')),
      created_at timestamptz not null default now()
    )`.execute(db)

  await sql`
    create table keys (
      id text primary key,
      account_id text not null references accounts,
      name text not null,
      hash bytea not null unique check (length(hash) = 32),
      hint text not null,
      scopes text[] not null,
      origin text not null check (origin in ('created', 'first', 'configured')),
      requests_per_minute integer check (requests_per_minute > 0),
      created_at timestamptz not null default now(),
      expires_at timestamptz,
      revoked_at timestamptz
    )`.execute(db)
  await sql`create index keys_by_account on keys (account_id)`.execute(db)

  // Rewritten at every request: room on the page keeps the update in place, without touching an index.
  await sql`
    create table request_rates (
      key_id text primary key references keys on delete cascade,
      theoretical_arrival timestamptz not null
    ) with (fillfactor = 50)`.execute(db)

  await sql`
    create table nodes (
      id text primary key,
      host text not null,
      pid integer not null,
      started_at timestamptz not null default now(),
      heartbeat_at timestamptz not null
    ) with (fillfactor = 50)`.execute(db)

  await sql`
    create table tasks (
      id text primary key,
      account_id text not null references accounts,
      key_id text not null references keys,
      request_id text not null,
      status text not null check (status in ('QUEUED', 'IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'CANCELED')),
      mode text not null check (mode in ('generation', 'edit')),
      model text not null,
      provider text not null,
      upstream_model text not null,
      request jsonb not null,
      node_id text,
      created_at timestamptz not null,
      started_at timestamptz,
      completed_at timestamptz,
      expires_at timestamptz,
      result jsonb,
      error jsonb,
      check ((status in ('SUCCEEDED', 'FAILED', 'CANCELED')) = (completed_at is not null)),
      check ((status = 'SUCCEEDED') = (result is not null)),
      check ((status = 'FAILED') = (error is not null))
    ) with (fillfactor = 80)`.execute(db)
  await sql`create index tasks_by_account on tasks (account_id, created_at desc, id desc)`.execute(db)
  await sql`create index tasks_running on tasks (node_id) where status = 'IN_PROGRESS'`.execute(db)

  // The last line of defence for "a task ends once": whatever the code does, an ended task stays as it ended.
  await sql`
    create function refuse_illegal_task_transition() returns trigger language plpgsql as $$
    begin
      if old.status = new.status and old.status in ('QUEUED', 'IN_PROGRESS')
        or old.status = 'QUEUED' and new.status in ('IN_PROGRESS', 'FAILED', 'CANCELED')
        or old.status = 'IN_PROGRESS' and new.status in ('QUEUED', 'SUCCEEDED', 'FAILED', 'CANCELED')
      then return new;
      end if;
      raise exception 'task % cannot go from % to %', old.id, old.status, new.status;
    end $$`.execute(db)
  await sql`
    create trigger task_transition before update of status on tasks
    for each row execute function refuse_illegal_task_transition()`.execute(db)

  await sql`
    create table images (
      id text primary key,
      task_id text not null references tasks,
      account_id text not null references accounts,
      position integer not null check (position >= 0),
      format text not null check (format in ('png', 'jpeg', 'webp', 'gif', 'avif')),
      width integer not null check (width > 0),
      height integer not null check (height > 0),
      size_bytes bigint not null check (size_bytes > 0),
      sha256 bytea not null check (length(sha256) = 32),
      object_key text not null unique,
      seed bigint,
      revised_prompt text,
      created_at timestamptz not null,
      unique (task_id, position)
    )`.execute(db)
  await sql`create index images_by_account on images (account_id, created_at desc, id desc)`.execute(db)
}
