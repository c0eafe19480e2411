/** Corrects a balance: what is neither a payment nor the cost of a task. With a task it gives back what that one cost. */
import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database } from '../db/schema.ts'
import { badRequest, GessoError } from '../lib/errors.ts'
import { isId } from '../lib/ids.ts'
import { amountText } from './money-amount.ts'
import { type LockedAccount, type Moved, type Movement, moveBalance } from './move-balance.ts'

export interface Adjustment extends Movement {
  /** Why; an adjustment without a reason cannot be told from a mistake. */
  note: string
  /** A refund: of a task of the account that was charged, and never more than that. */
  taskId?: string
}

/**
 * Changes the balance by whole micro-USD of either sign, once for each reference. Throws `account_not_found`,
 * `task_not_found`, `reference_reused`, and a 400 that says what is possible where more would be taken than is available, or
 * more given back than was charged.
 */
export async function adjustBalance(db: Kysely<Database>, adjustment: Adjustment): Promise<Moved> {
  const { accountId, micros, note, taskId } = adjustment
  if (micros === 0) throw badRequest('micros', 'micros is 0, but an adjustment must change the balance.')
  if (note.trim() === '') throw badRequest('note', 'note is empty, but must say why the balance is adjusted.')
  if (taskId !== undefined && micros < 0) {
    throw badRequest('micros', `micros is ${micros}, but a refund of a task must be more than 0.`)
  }
  return moveBalance(db, {
    ...adjustment,
    kind: 'adjust',
    async check(transaction, account) {
      refuseBeyondAvailable(account, micros)
      if (taskId !== undefined) await refuseBeyondCharge(transaction, { accountId, taskId, micros })
    },
  })
}

function refuseBeyondAvailable({ balanceMicros, reservedMicros }: LockedAccount, micros: number): void {
  if (micros > 0 || balanceMicros + micros >= reservedMicros) return
  throw badRequest(
    'micros',
    `micros is ${micros}, but only ${amountText(balanceMicros - reservedMicros)} are available: the balance is ${amountText(balanceMicros)}, of which ${amountText(reservedMicros)} are held for tasks at work.`,
  )
}

async function refuseBeyondCharge(
  transaction: Transaction<Database>,
  { accountId, taskId, micros }: { accountId: string; taskId: string; micros: number },
): Promise<void> {
  const task =
    isId('image', taskId) &&
    (await transaction
      .selectFrom('tasks')
      .select('charged_micros')
      .where('id', '=', taskId)
      .where('account_id', '=', accountId)
      .executeTakeFirst())
  if (!task) {
    throw new GessoError({
      code: 'task_not_found',
      attribution: 'client',
      message: `The account has no task ${JSON.stringify(taskId.slice(0, 80).toWellFormed())}.`,
      param: 'task_id',
    })
  }
  const { refunded } = await transaction
    .selectFrom('ledger_entries')
    .select(sql<number>`coalesce(sum(amount_micros), 0)::bigint`.as('refunded'))
    .where('task_id', '=', taskId)
    .where('kind', '=', 'adjust')
    .executeTakeFirstOrThrow()
  if (refunded + micros <= task.charged_micros) return
  throw badRequest(
    'micros',
    `micros is ${micros}, but the task was charged ${amountText(task.charged_micros)}, of which ${amountText(refunded)} were given back before.`,
  )
}
