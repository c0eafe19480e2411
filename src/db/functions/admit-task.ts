/**
 * Admission as the database decides it: the key, its limits and its account's, who pays, and the task with its
 * reservation. Nothing is written unless everything holds, so a refusal uses up no counter. Called by
 * `tasks/admit-task.ts`, which knows the shapes.
 *
 * Locks are taken in one order everywhere: the rates of the key, those of the account, tasks by their ids, the account, an
 * idempotency key.
 */
import { sql } from 'kysely'

/**
 * The generic cell rate algorithm with a burst of one whole minute: the arrival time after one more request, or null where
 * it must wait. An arrival more than a window beyond what any request could have written comes from a clock that stood
 * ahead; it must not lock the owner out until then.
 */
const nextArrival = sql`
  create or replace function next_arrival(taken timestamptz, per_minute integer, moment timestamptz)
  returns timestamptz language sql immutable as $$
    select case when arrival <= moment + interval '1 minute' then arrival end
    from (select case when taken is null or taken > moment + interval '2 minutes' then moment
      else greatest(taken, moment) end + interval '1 minute' / per_minute as arrival) as next
  $$`

/** Where an owner stands against its rate. */
const takenRate = sql`
  create or replace function taken_rate(owner text) returns timestamptz language plpgsql as $$
  declare
    taken timestamptz;
  begin
    select theoretical_arrival into taken from rates where owner_id = owner for update;
    if not found then
      insert into rates values (owner, '-infinity') on conflict do nothing;
      select theoretical_arrival into taken from rates where owner_id = owner for update;
    end if;
    return taken;
  end $$`

/**
 * The pictures of tasks that began in a window, those at work included, against a limit: null where `wanted` more fit, else
 * the moment from which they will, as things stand. Tasks that began more than a window from now come from a clock that
 * stood ahead; they must not lock the owner out until then.
 */
const picturesFit = sql`
  create or replace function pictures_free_at(
    of_whom text, ids text[], wanted integer, most integer, span interval, moment timestamptz
  ) returns timestamptz language plpgsql stable as $$
  declare
    leaving timestamptz;
  begin
    if of_whom = 'key' then
      select created_at into leaving from (
        select created_at, sum(images) over (order by created_at desc, id desc) as newer from tasks
        where key_id = any(ids) and created_at > moment - span and created_at < moment + span and images > 0
      ) as counted where newer > most - wanted order by created_at desc limit 1;
    else
      select created_at into leaving from (
        select created_at, sum(images) over (order by created_at desc, id desc) as newer from tasks
        where account_id = any(ids) and created_at > moment - span and created_at < moment + span and images > 0
      ) as counted where newer > most - wanted order by created_at desc limit 1;
    end if;
    return leaving + span;
  end $$`

/** What keys or an account spend since a day (all days where it is null): what is settled, and the most that tasks at work may cost. */
const spentSince = sql`
  create or replace function spent_since(of_whom text, ids text[], since date) returns bigint
  language plpgsql stable as $$
  declare
    settled bigint;
    at_work bigint;
  begin
    select coalesce(sum(micros), 0) into settled from spend
    where owner_id = any(ids) and (since is null or day >= since);
    if of_whom = 'key' then
      select coalesce(sum(spent_micros), 0) into at_work from tasks where key_id = any(ids)
        and status in ('QUEUED', 'IN_PROGRESS') and (since is null or (created_at at time zone 'utc')::date >= since);
    else
      select coalesce(sum(spent_micros), 0) into at_work from tasks where account_id = any(ids)
        and status in ('QUEUED', 'IN_PROGRESS') and (since is null or (created_at at time zone 'utc')::date >= since);
    end if;
    return settled + at_work;
  end $$`

/**
 * Which limit on pictures and tasks at work is in the way of a request, as `{limit, of, most, used, free_at}`; null where
 * none is.
 */
const limitInTheWay = sql`
  create or replace function limit_in_the_way(
    of_whom text, ids text[], limits jsonb, wanted integer, moment timestamptz
  ) returns jsonb language plpgsql stable as $$
  declare
    name text;
    most integer;
    used bigint;
    free_at timestamptz;
  begin
    most := (limits ->> 'concurrency')::integer;
    if most is not null then
      if of_whom = 'key' then
        select count(*) into used from tasks where key_id = any(ids) and status in ('QUEUED', 'IN_PROGRESS');
      else
        select count(*) into used from tasks where account_id = any(ids) and status in ('QUEUED', 'IN_PROGRESS');
      end if;
      if used >= most then
        return jsonb_build_object('limit', 'concurrency', 'of', of_whom, 'most', most);
      end if;
    end if;
    foreach name in array array['images_per_minute', 'images_per_day'] loop
      most := (limits ->> name)::integer;
      continue when most is null;
      free_at := pictures_free_at(of_whom, ids, wanted, most,
        case name when 'images_per_minute' then interval '1 minute' else interval '24 hours' end, moment);
      if wanted > most or free_at is not null then
        return jsonb_build_object('limit', name, 'of', of_whom, 'most', most,
          'free_at', extract(epoch from free_at) * 1000);
      end if;
    end loop;
    return null;
  end $$`

/** Which limit on money is in the way of spending so much more; `unpriced` where nobody knows how much it is. */
const spendLimitInTheWay = sql`
  create or replace function spend_limit_in_the_way(
    of_whom text, ids text[], limits jsonb, quoted bigint, moment timestamptz
  ) returns jsonb language plpgsql stable as $$
  declare
    today date := (moment at time zone 'utc')::date;
    since date;
    name text;
    most bigint;
    spent bigint;
  begin
    foreach name in array array['spend_total_micros', 'spend_per_month_micros', 'spend_per_day_micros'] loop
      most := (limits ->> name)::bigint;
      continue when most is null;
      if quoted is null then
        return jsonb_build_object('limit', 'unpriced', 'of', of_whom);
      end if;
      since := case name when 'spend_per_day_micros' then today
        when 'spend_per_month_micros' then date_trunc('month', today::timestamp)::date end;
      spent := spent_since(of_whom, ids, since);
      if spent + quoted > most then
        return jsonb_build_object('limit', name, 'of', of_whom, 'most', most, 'used', spent, 'free_at',
          extract(epoch from (case name when 'spend_per_day_micros' then today + 1
            when 'spend_per_month_micros' then (date_trunc('month', today::timestamp) + interval '1 month')::date end
          )::timestamp at time zone 'utc') * 1000);
      end if;
    end loop;
    return null;
  end $$`

/**
 * The free pictures of an account: `{limit, used, at_work, next_available_at}`, and from when `wanted` more fit. Pictures
 * count by the second in which they were finished, which is the one that answers tell: 24 hours later to that second they
 * do not count any more.
 */
const freeQuota = sql`
  create or replace function free_quota(owner text, most integer, wanted integer, moment timestamptz) returns jsonb
  language plpgsql stable as $$
  declare
    used integer;
    oldest timestamptz;
    busy integer;
    leaving timestamptz;
  begin
    select coalesce(sum(images), 0), min(completed_at) into used, oldest from tasks
    where account_id = owner and source = 'free' and status = 'SUCCEEDED'
      and completed_at > moment - interval '24 hours'
      and date_trunc('second', completed_at) > moment - interval '24 hours';
    select coalesce(sum(images), 0) into busy from tasks
    where account_id = owner and source = 'free' and status in ('QUEUED', 'IN_PROGRESS');
    select completed_at into leaving from (
      select completed_at, sum(images) over (order by completed_at desc, id desc) as newer from tasks
      where account_id = owner and source = 'free' and status = 'SUCCEEDED'
        and completed_at > moment - interval '24 hours'
        and date_trunc('second', completed_at) > moment - interval '24 hours'
    ) as counted where newer > most - busy - wanted order by completed_at desc limit 1;
    return jsonb_build_object('limit', most, 'used', used, 'at_work', busy,
      'next_available_at', extract(epoch from date_trunc('second', oldest) + interval '24 hours') * 1000,
      'free_at', extract(epoch from date_trunc('second', leaving) + interval '24 hours') * 1000);
  end $$`

const admitTask = sql`
  create or replace function admit_task(asked jsonb) returns jsonb language plpgsql as $$
  declare
    moment timestamptz := (asked ->> 'now')::timestamptz;
    wanted integer := (asked ->> 'images')::integer;
    quoted bigint := (asked ->> 'quoted_micros')::bigint;
    is_dry boolean := coalesce((asked ->> 'dry')::boolean, false);
    has_route boolean := (asked ->> 'has_route')::boolean;
    repetition text := asked ->> 'idempotency_key';
    print bytea := decode(asked ->> 'fingerprint', 'hex');
    retries integer := coalesce((asked ->> 'retry_count')::integer, 0);
    key_row keys%rowtype;
    account accounts%rowtype;
    key_limits jsonb;
    counter text;
    key_ids text[];
    account_limits jsonb;
    per_minute integer;
    key_taken timestamptz;
    account_taken timestamptz;
    key_arrival timestamptz;
    account_arrival timestamptz;
    rate jsonb;
    quota jsonb;
    hindrance jsonb;
    payer text;
    owns_key boolean;
    reserved bigint := 0;
    earlier_id text;
    earlier_print bytea;
  begin
    select * into key_row from keys where id = asked ->> 'key_id';
    if not found or key_row.revoked_at is not null or key_row.expires_at <= moment then
      return jsonb_build_object('outcome', 'key_gone');
    end if;
    select * into account from accounts where id = key_row.account_id;
    if key_row.disabled_at is not null or account.disabled_at is not null then
      return jsonb_build_object('outcome', 'disabled', 'of',
        case when key_row.disabled_at is not null then 'key' else 'account' end);
    end if;
    if not key_row.scopes && array['images:write', 'admin'] then
      return jsonb_build_object('outcome', 'scope_missing');
    end if;
    if key_row.models is not null and not asked ->> 'model' = any(key_row.models) then
      return jsonb_build_object('outcome', 'model_not_allowed', 'models', to_jsonb(key_row.models));
    end if;
    key_limits := to_jsonb(key_row);
    account_limits := to_jsonb(account);
    counter := coalesce(key_row.root_id, key_row.id);

    -- The rate of requests. From here on, admissions of this key stand in a row.
    per_minute := coalesce(key_row.requests_per_minute, (asked ->> 'default_requests_per_minute')::integer);
    key_taken := taken_rate(counter);
    key_arrival := next_arrival(key_taken, per_minute, moment);
    rate := jsonb_build_object('limit', per_minute,
      'arrival', extract(epoch from nullif(coalesce(key_arrival, key_taken), '-infinity')) * 1000);
    if key_arrival is null then
      return jsonb_build_object('outcome', 'rate_limited', 'of', 'key', 'rate', rate);
    end if;
    if account.requests_per_minute is not null then
      account_taken := taken_rate(account.id);
      account_arrival := next_arrival(account_taken, account.requests_per_minute, moment);
      if account_arrival is null then
        return jsonb_build_object('outcome', 'rate_limited', 'of', 'account', 'rate', jsonb_build_object(
          'limit', account.requests_per_minute, 'arrival', extract(epoch from account_taken) * 1000));
      end if;
    end if;

    -- A client's retry takes hold of the task that it joins, and so must not hold the account.
    if repetition is null and retries > 0 and print is not null and (asked ->> 'join_window_ms') is not null then
      select id into earlier_id from tasks
      where key_id = key_row.id and fingerprint = print and answered_at is null and idempotency_key is null
        and retry_count < retries
        and (completed_at is null or completed_at > moment - (asked ->> 'join_window_ms')::integer * interval '1 millisecond')
      order by retry_count desc, created_at, id limit 1;
    end if;
    -- Who counts, pays or repeats together with other keys stands in a row with them. What follows sees all that they did.
    if earlier_id is null and (repetition is not null or account.billing = 'metered'
      or account.images_per_minute is not null or account.images_per_day is not null
      or account.concurrency is not null or account.spend_per_day_micros is not null
      or account.spend_per_month_micros is not null or account.spend_total_micros is not null) then
      select * into account from accounts where id = key_row.account_id for no key update;
      account_limits := to_jsonb(account);
    end if;

    -- A repetition is no new work. It counts as a request, and as nothing else.
    if repetition is not null then
      select task_id, fingerprint into earlier_id, earlier_print from idempotency_keys
      where account_id = account.id and key = repetition and expires_at > moment;
    end if;
    if earlier_id is not null and earlier_print <> print then
      return jsonb_build_object('outcome', 'key_reused', 'task_id', earlier_id, 'rate', rate);
    end if;
    if earlier_id is not null then
      if not is_dry then
        update rates set theoretical_arrival = key_arrival where owner_id = counter;
        update rates set theoretical_arrival = account_arrival
        where owner_id = account.id and account_arrival is not null;
        if repetition is null then update tasks set retry_count = retries where id = earlier_id; end if;
      end if;
      return jsonb_build_object('outcome', 'repeated', 'task_id', earlier_id, 'rate', rate);
    end if;

    -- A key and those whose place it takes count together.
    key_ids := array(select id from keys where id = counter or root_id = counter);
    hindrance := coalesce(limit_in_the_way('key', key_ids, key_limits, wanted, moment),
      limit_in_the_way('account', array[account.id], account_limits, wanted, moment));
    if hindrance is not null then
      return jsonb_build_object('outcome', 'limit_reached', 'rate', rate) || hindrance;
    end if;

    -- Who pays: the free quota, then the account's own provider key, then its credit.
    owns_key := exists (
      select from provider_keys where account_id = account.id and provider = asked ->> 'provider');
    if account.billing = 'unmetered' then
      payer := case when has_route then 'unmetered' when owns_key then 'user' end;
    else
      quota := free_quota(account.id, coalesce(account.free_images, (asked ->> 'default_free_images')::integer),
        wanted, moment);
      if has_route and wanted <= (quota ->> 'limit')::integer - (quota ->> 'used')::integer
        - (quota ->> 'at_work')::integer then
        payer := 'free';
      elsif owns_key then
        payer := 'user';
      elsif (asked ->> 'has_own_way')::boolean then
        return jsonb_build_object('outcome', 'use_own_key', 'rate', rate);
      elsif has_route then
        if (quota ->> 'limit')::integer > 0 and account.balance_micros <= 0 then
          return jsonb_build_object('outcome', 'free_quota_exceeded', 'rate', rate, 'quota', quota);
        end if;
        if quoted is null then
          return jsonb_build_object('outcome', 'unpriced', 'rate', rate, 'quota', quota);
        end if;
        if account.balance_micros - account.reserved_micros < quoted then
          return jsonb_build_object('outcome', 'insufficient_credit', 'rate', rate, 'quota', quota,
            'available_micros', account.balance_micros - account.reserved_micros, 'quoted_micros', quoted);
        end if;
        payer := 'credits';
        reserved := quoted;
      end if;
    end if;
    if payer is null then
      return jsonb_build_object('outcome', 'no_route', 'rate', rate);
    end if;
    if payer in ('credits', 'unmetered') then
      hindrance := coalesce(spend_limit_in_the_way('key', key_ids, key_limits, quoted, moment),
        spend_limit_in_the_way('account', array[account.id], account_limits, quoted, moment));
      if hindrance is not null then
        return jsonb_build_object('outcome', 'limit_reached', 'rate', rate) || hindrance;
      end if;
    end if;
    if is_dry then
      return jsonb_build_object('outcome', 'admitted', 'source', payer, 'rate', rate, 'quota', quota);
    end if;

    -- Everything holds. What is replaced is a key whose time is over.
    if repetition is not null then
      insert into idempotency_keys (account_id, key, fingerprint, task_id, expires_at)
      values (account.id, repetition, print, asked ->> 'task_id',
        moment + (asked ->> 'idempotency_ttl_ms')::bigint * interval '1 millisecond')
      on conflict (account_id, key) do update
        set fingerprint = excluded.fingerprint, task_id = excluded.task_id, expires_at = excluded.expires_at;
    end if;
    update rates set theoretical_arrival = key_arrival where owner_id = counter;
    if account_arrival is not null then
      update rates set theoretical_arrival = account_arrival where owner_id = account.id;
    end if;
    insert into tasks (id, account_id, key_id, request_id, status, mode, model, provider, upstream_model, request,
      node_id, created_at, started_at, images, source, quoted_micros, reserved_micros, spent_micros,
      idempotency_key, fingerprint, retry_count)
    values (asked ->> 'task_id', account.id, key_row.id, asked ->> 'request_id', 'IN_PROGRESS', asked ->> 'mode',
      asked ->> 'model', asked ->> 'provider', asked ->> 'upstream_model', asked -> 'request',
      asked ->> 'node_id', moment, moment, wanted, payer, quoted, reserved,
      case when payer in ('credits', 'unmetered') then coalesce(quoted, 0) else 0 end,
      repetition, print, retries);
    if reserved > 0 then
      update accounts set reserved_micros = reserved_micros + reserved where id = account.id
      returning * into account;
      insert into ledger_entries (account_id, kind, task_id, amount_micros, reserved_micros, balance_after_micros,
        reserved_after_micros, created_at)
      values (account.id, 'reserve', asked ->> 'task_id', 0, reserved, account.balance_micros,
        account.reserved_micros, moment);
    end if;
    return jsonb_build_object('outcome', 'admitted', 'source', payer, 'reserved_micros', reserved, 'rate', rate,
      'quota', quota);
  end $$`

export const admitTaskFunction = [
  nextArrival,
  takenRate,
  picturesFit,
  spentSince,
  limitInTheWay,
  spendLimitInTheWay,
  freeQuota,
  admitTask,
]
