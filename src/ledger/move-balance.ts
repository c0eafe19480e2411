/**
 * What credits and adjustments have in common: the account's row is locked, its balance changes, and the entry and the
 * audit row that say so are written, in one transaction. A reference makes a repetition harmless.
 */
import type { Kysely, Transaction } from 'kysely'
import { accountNotFound } from '../accounts/account.ts'
import { type Actor, recordAudit } from '../audit/record-audit.ts'
import { isDatabaseAway } from '../db/open-database.ts'
import type { Database } from '../db/schema.ts'
import { badRequest, GessoError } from '../lib/errors.ts'
import { isId } from '../lib/ids.ts'
import { amountText, maxAmountMicros, maxBalanceMicros } from './money-amount.ts'

export interface Movement {
  accountId: string
  /** What the balance changes by. */
  micros: number
  note?: string
  /** The operator's own id of it: a second one of the account with the same reference changes nothing. */
  reference?: string
  actor: Actor
  now: Date
}

/** What came of it; of a repetition, what came of the first. */
export interface Moved {
  entryId: number
  /** After the entry. */
  balanceMicros: number
  /** Held for tasks at work, after the entry. */
  reservedMicros: number
  /** True where the reference had been used for this before, and nothing was done. */
  repeated: boolean
}

/** The account's money while its row is locked. */
export interface LockedAccount {
  balanceMicros: number
  reservedMicros: number
}

interface CheckedMovement extends Movement {
  kind: 'credit' | 'adjust'
  taskId?: string
  /** Throws where the movement cannot be made. */
  check?(transaction: Transaction<Database>, account: LockedAccount): Promise<void>
}

/** Makes the movement, or tells the one that was made before under its reference. */
export async function moveBalance(db: Kysely<Database>, movement: CheckedMovement): Promise<Moved> {
  refuseImpossible(movement.micros)
  try {
    return await db.transaction().execute((transaction) => moveWithin(transaction, movement))
  } catch (error) {
    throw isDatabaseAway(error) ? outcomeUnknown(movement, error) : error
  }
}

async function moveWithin(transaction: Transaction<Database>, movement: CheckedMovement): Promise<Moved> {
  const account = await lockAccount(transaction, movement.accountId)
  const earlier = await findEarlier(transaction, movement)
  if (earlier) return earlier
  await movement.check?.(transaction, account)
  const after = { ...account, balanceMicros: account.balanceMicros + movement.micros }
  if (after.balanceMicros > maxBalanceMicros) {
    throw badRequest('micros', `The balance would be more than ${amountText(maxBalanceMicros)}.`)
  }
  await transaction
    .updateTable('accounts')
    .set({ balance_micros: after.balanceMicros })
    .where('id', '=', movement.accountId)
    .execute()
  const { id: entryId } = await transaction
    .insertInto('ledger_entries')
    .values({
      account_id: movement.accountId,
      kind: movement.kind,
      task_id: movement.taskId,
      amount_micros: movement.micros,
      reserved_micros: 0,
      balance_after_micros: after.balanceMicros,
      reserved_after_micros: after.reservedMicros,
      reference: movement.reference,
      note: movement.note,
      created_at: movement.now,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  await recordAudit(transaction, {
    actor: movement.actor,
    action: movement.kind === 'credit' ? 'account.credited' : 'account.adjusted',
    target: movement.accountId,
    accountId: movement.accountId,
    before: { balance_micros: account.balanceMicros },
    after: {
      balance_micros: after.balanceMicros,
      entry_id: entryId,
      note: movement.note,
      reference: movement.reference,
      task_id: movement.taskId,
    },
    at: movement.now,
  })
  return { entryId, ...after, repeated: false }
}

/** Every change of an account's money waits for this row, so that what is read under it stays true. */
async function lockAccount(transaction: Transaction<Database>, accountId: string): Promise<LockedAccount> {
  if (!isId('acct', accountId)) throw accountNotFound(accountId)
  const row = await transaction
    .selectFrom('accounts')
    .select(['balance_micros', 'reserved_micros'])
    .where('id', '=', accountId)
    .forNoKeyUpdate()
    .executeTakeFirst()
  if (!row) throw accountNotFound(accountId)
  return { balanceMicros: row.balance_micros, reservedMicros: row.reserved_micros }
}

async function findEarlier(
  transaction: Transaction<Database>,
  { accountId, kind, micros, taskId, reference }: CheckedMovement,
): Promise<Moved | undefined> {
  if (reference === undefined) return undefined
  const row = await transaction
    .selectFrom('ledger_entries')
    .select(['id', 'kind', 'task_id', 'amount_micros', 'balance_after_micros', 'reserved_after_micros'])
    .where('account_id', '=', accountId)
    .where('reference', '=', reference)
    .executeTakeFirst()
  if (!row) return undefined
  if (row.kind !== kind || row.amount_micros !== micros || row.task_id !== (taskId ?? null)) {
    throw new GessoError({
      code: 'reference_reused',
      attribution: 'client',
      message: `The reference ${JSON.stringify(reference)} stands for entry ${row.id} of this account, of ${amountText(row.amount_micros)}. Use another one for another ${kind === 'credit' ? 'credit' : 'adjustment'}.`,
      param: 'reference',
    })
  }
  return {
    entryId: row.id,
    balanceMicros: row.balance_after_micros,
    reservedMicros: row.reserved_after_micros,
    repeated: true,
  }
}

function refuseImpossible(micros: number): void {
  if (Number.isSafeInteger(micros) && Math.abs(micros) <= maxAmountMicros) return
  throw badRequest(
    'micros',
    `micros is ${micros}, but must be whole and at most ${amountText(maxAmountMicros)}.`,
  )
}

/** The database may have gone away between the commit and its answer. */
function outcomeUnknown({ reference }: Movement, cause: unknown): GessoError {
  const advice =
    reference === undefined
      ? "Look at the account's ledger before it is tried again."
      : 'Try again with the same reference: it is made once.'
  return new GessoError({
    code: 'overloaded',
    attribution: 'platform',
    message: `The database went away, and whether the entry was made is not known. ${advice}`,
    detail: `database: ${(cause as Error).message}`,
    retryable: reference !== undefined,
    retryAfterMs: 2_000,
    cause,
  })
}
