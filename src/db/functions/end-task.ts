/**
 * The end of tasks as the database records it: each ends once, and with its end its reservation is settled or released,
 * in the same transaction. Called by `tasks/finish-task.ts` and `tasks/fail-orphans.ts`.
 */
import { sql } from 'kysely'

/**
 * What the end of a task does to money: takes the charge from the balance, which is never more than was reserved, and gives
 * back the rest. The task's row must have been locked and ended by the caller.
 */
const resolveReservation = sql`
  create or replace function resolve_reservation(ended tasks, moment timestamptz) returns void language plpgsql as $$
  declare
    account accounts%rowtype;
  begin
    if ended.reserved_micros > 0 then
      update accounts set balance_micros = balance_micros - ended.charged_micros,
        reserved_micros = reserved_micros - ended.reserved_micros
      where id = ended.account_id returning * into account;
      insert into ledger_entries (account_id, kind, task_id, amount_micros, reserved_micros, balance_after_micros,
        reserved_after_micros, created_at)
      values (ended.account_id, case ended.status when 'SUCCEEDED' then 'settle' else 'release' end, ended.id,
        -ended.charged_micros, -ended.reserved_micros, account.balance_micros, account.reserved_micros, moment);
    end if;
    if ended.spent_micros > 0 then
      insert into spend as s (owner_id, day, micros)
      select owner, (ended.created_at at time zone 'utc')::date, ended.spent_micros
      from unnest(array[ended.account_id, ended.key_id]) as owner order by owner
      on conflict (owner_id, day) do update set micros = s.micros + excluded.micros;
    end if;
  end $$`

/** A task that surely made nothing: its idempotency key is free again, and nobody is joined to it. */
const freeRepetition = sql`
  create or replace function free_repetition(ended_id text) returns void language sql as $$
    delete from idempotency_keys where task_id = ended_id
  $$`

/**
 * Records how a task ended, with its pictures and their bucket. False, and nothing changed, where the task has ended or
 * belongs to another node.
 */
const finishTask = sql`
  create or replace function finish_task(outcome jsonb) returns boolean language plpgsql as $$
  declare
    moment timestamptz := (outcome ->> 'completed_at')::timestamptz;
    made_well boolean := outcome ->> 'status' = 'SUCCEEDED';
    is_definite boolean := coalesce((outcome ->> 'is_definite')::boolean, false);
    ended tasks%rowtype;
    home text;
  begin
    update tasks set status = outcome ->> 'status', completed_at = moment,
      expires_at = (outcome ->> 'expires_at')::timestamptz,
      result = nullif(outcome -> 'result', 'null'), error = nullif(outcome -> 'error', 'null'),
      node_id = null, work = null,
      images = jsonb_array_length(outcome -> 'images'),
      list_micros = (outcome ->> 'list_micros')::bigint,
      provider_micros = (outcome ->> 'provider_micros')::bigint,
      charged_micros = case when made_well
        then least(coalesce((outcome ->> 'charged_micros')::bigint, 0), reserved_micros) else 0 end,
      spent_micros = case when made_well then coalesce((outcome ->> 'spent_micros')::bigint, 0) else 0 end,
      fingerprint = case when is_definite then null else fingerprint end
    where id = outcome ->> 'task_id' and node_id = outcome ->> 'node_id' and status = 'IN_PROGRESS'
    returning * into ended;
    if not found then
      -- The answer to a first attempt may have been lost: then its pictures are there.
      return exists (select from images
        where id = outcome -> 'images' -> 0 ->> 'id' and task_id = outcome ->> 'task_id');
    end if;
    if outcome ->> 'bucket' is not null then
      -- Writing the name again is what makes the row of an old bucket come back.
      insert into buckets (id, account_id, name, created_at)
      values (outcome ->> 'bucket_id', ended.account_id, outcome ->> 'bucket', moment)
      on conflict (account_id, name) do update set name = excluded.name
      returning id into home;
    end if;
    insert into images (id, task_id, account_id, bucket_id, permanent_link, position, format, width, height,
      size_bytes, sha256, object_key, seed, revised_prompt, created_at)
    select image.id, ended.id, ended.account_id, home, coalesce((outcome ->> 'permanent')::boolean, false),
      image.position, image.format, image.width, image.height, image.size_bytes, decode(image.sha256, 'hex'),
      image.object_key, image.seed, image.revised_prompt, moment
    from jsonb_to_recordset(outcome -> 'images') as image (id text, position int, format text, width int, height int,
      size_bytes bigint, sha256 text, object_key text, seed bigint, revised_prompt text);
    -- The account before the idempotency key, as admission has it.
    perform resolve_reservation(ended, moment);
    if is_definite then perform free_repetition(ended.id); end if;
    return true;
  end $$`

/**
 * Ends tasks that nobody works on. For those with an idempotency key it is known whether the provider was asked: what was
 * never sent surely failed. Of all others the outcome is not known. Answers how many it ended.
 */
const failTasks = sql`
  create or replace function fail_tasks(
    ids text[], unknown jsonb, unsent jsonb, expires timestamptz, moment timestamptz
  )
  returns integer language plpgsql as $$
  declare
    ended tasks%rowtype;
    is_unsent boolean;
    count integer := 0;
  begin
    -- All tasks before the first account: who ends one of them holds it, and wants its account. Then by account, so that
    -- two processes that do this at once lock the accounts in the same order.
    perform from tasks where id = any(ids) and status = 'IN_PROGRESS' and work is null
      order by id for no key update;
    for ended in select * from tasks where id = any(ids) and status = 'IN_PROGRESS' and work is null
      order by account_id, id
    loop
      is_unsent := ended.idempotency_key is not null and ended.dispatched_at is null;
      update tasks set status = 'FAILED', error = case when is_unsent then unsent else unknown end, completed_at = moment, expires_at = expires,
        node_id = null, work = null, images = 0, spent_micros = 0
      where id = ended.id returning * into ended;
      perform resolve_reservation(ended, moment);
      if is_unsent then perform free_repetition(ended.id); end if;
      count := count + 1;
    end loop;
    return count;
  end $$`

export const endTaskFunctions = [resolveReservation, freeRepetition, finishTask, failTasks]
