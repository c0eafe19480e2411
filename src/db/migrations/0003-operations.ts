/** The work that providers have accepted and not finished, and what it takes to bring its task to an end. */
import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table tasks add column work jsonb`.execute(db)

  await sql`
    create table operations (
      task_id text not null references tasks on delete cascade,
      call integer not null check (call >= 0),
      operation jsonb not null,
      accepted_at timestamptz not null,
      primary key (task_id, call)
    )`.execute(db)
}
