/** Buckets, permanent links to pictures, and what a key fills in for its callers. */
import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table buckets (
      id text primary key,
      account_id text not null references accounts,
      name text not null check (name ~ '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$'),
      is_public boolean not null default false,
      created_at timestamptz not null,
      unique (account_id, name)
    )`.execute(db)

  await sql`
    alter table images
      add column bucket_id text references buckets,
      add column permanent_link boolean not null default false`.execute(db)
  await sql`
    create index images_by_bucket on images (bucket_id, created_at desc, id desc) where bucket_id is not null`.execute(
    db,
  )

  await sql`
    alter table keys
      add column defaults jsonb not null default '{}',
      add column prompt_in_metadata boolean not null default false`.execute(db)
}
