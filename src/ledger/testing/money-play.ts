/**
 * A play about money: two accounts, three keys, three processes, and commands that are carried out by several of them at
 * once. What must have come of it is kept beside the database, from the answers alone.
 */
import fc from 'fast-check'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { GessoError } from '../../lib/errors.ts'
import { createId } from '../../lib/ids.ts'
import { failLost, failOrphans } from '../../tasks/fail-orphans.ts'
import { adjustBalance } from '../adjust-balance.ts'
import { creditAccount } from '../credit-account.ts'
import {
  admitSample,
  createSampleAccount,
  createSampleKey,
  finishSample,
  sampleActor,
} from './money-world.ts'

const which = fc.nat(1_000)
const reference = fc.option(fc.constantFrom('r1', 'r2', 'r3'), { nil: undefined })
const spellings = fc.constantFrom('i1', 'i2', 'i3')

/** Everything that can happen to money. Amounts are small, so that they collide. */
export const moneyCommand = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('credit' as const),
      which,
      micros: fc.integer({ min: 1, max: 60 }),
      reference,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('adjust' as const),
      which,
      micros: fc.integer({ min: -60, max: 60 }),
      reference,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('refund' as const),
      which,
      micros: fc.integer({ min: 1, max: 20 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('admit' as const),
      which,
      price: fc.integer({ min: 0, max: 40 }),
      images: fc.integer({ min: 1, max: 3 }),
      again: fc.option(spellings, { nil: undefined }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('succeed' as const),
      which,
      charge: fc.integer({ min: 0, max: 60 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('fail' as const),
      which,
      code: fc.constantFrom('upstream_failed', 'outcome_unknown'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('sweep' as const), which }) },
)

export type MoneyCommand = typeof moneyCommand extends fc.Arbitrary<infer Command> ? Command : never

interface PlayedTask {
  id: string
  accountId: string
  nodeId: string
  reservedMicros: number
}

export interface Play {
  accountIds: readonly string[]
  /** The balances that the answers come to. */
  balances: ReadonlyMap<string, number>
  /** Carries out commands at once, each by one of the processes. */
  perform(commands: readonly MoneyCommand[]): Promise<void>
  /** Ends every task that is still at work. */
  endAll(): Promise<void>
}

/** Sets the stage. `processes` are pools of their own. */
export async function openPlay(processes: readonly Kysely<Database>[]): Promise<Play> {
  const [first] = processes
  if (!first) throw new Error('a play needs a process')
  const credits = [120, 80]
  const accountIds = await Promise.all([
    createSampleAccount(first, { credit: credits[0] }),
    createSampleAccount(first, { credit: credits[1], free_images: 3 }),
  ])
  const owners = [accountIds[0], accountIds[0], accountIds[1]].map(String)
  const keys = await Promise.all(
    owners.map(async (accountId) => ({ accountId, id: await createSampleKey(first, accountId) })),
  )
  const nodeIds = processes.map(() => createId('node'))
  const balances = new Map(accountIds.map((id, index) => [id, credits[index] ?? 0]))
  const tasks: PlayedTask[] = []
  const charged = new Map<string, number>()

  const change = (accountId: string, micros: number) =>
    balances.set(accountId, (balances.get(accountId) ?? 0) + micros)

  async function perform(
    command: MoneyCommand,
    db: Kysely<Database>,
    nodeId: string,
    known: readonly PlayedTask[],
  ) {
    const accountId = pick(accountIds, command.which)
    // The newest, so that several commands are about the same one.
    const task = known[known.length - 1 - (command.which % Math.min(6, known.length || 1))]
    const money = { actor: sampleActor, now: new Date() }
    switch (command.do) {
      case 'credit': {
        const moved = await creditAccount(db, { ...money, ...command, accountId })
        if (!moved.repeated) change(accountId, command.micros)
        return
      }
      case 'adjust': {
        const moved = await adjustBalance(db, { ...money, ...command, accountId, note: 'a play' })
        if (!moved.repeated) change(accountId, command.micros)
        return
      }
      case 'refund':
        if (!task) return
        await adjustBalance(db, {
          ...money,
          micros: command.micros,
          accountId: task.accountId,
          note: 'sorry',
          taskId: task.id,
        })
        change(task.accountId, command.micros)
        return
      case 'admit': {
        const { price, images, again } = command
        const key = pick(keys, command.which)
        const id = createId('image')
        const repetition =
          again === undefined
            ? undefined
            : { key: again, fingerprint: Buffer.from(`${again} ${images}`), retryCount: 0 }
        const admission = await admitSample(db, { keyId: key.id, price, images, id, nodeId, repetition })
        if (admission.outcome === 'admitted') {
          tasks.push({ id, accountId: key.accountId, nodeId, reservedMicros: admission.reservedMicros })
        } else
          expectOneOf(admission.outcome, [
            'repeated',
            'key_reused',
            'insufficient_credit',
            'free_quota_exceeded',
          ])
        return
      }
      case 'succeed': {
        if (!task) return
        const bill = {
          listMicros: command.charge,
          providerMicros: null,
          chargedMicros: command.charge,
          spentMicros: command.charge,
        }
        if (!(await finishSample(db, { taskId: task.id, nodeId: task.nodeId, bill }))) return
        if (charged.has(task.id)) throw new Error(`task ${task.id} ended twice`)
        charged.set(task.id, Math.min(command.charge, task.reservedMicros))
        change(task.accountId, -Math.min(command.charge, task.reservedMicros))
        return
      }
      case 'fail':
        if (!task) return
        if (!(await finishSample(db, { taskId: task.id, nodeId: task.nodeId, code: command.code }))) return
        if (charged.has(task.id)) throw new Error(`task ${task.id} ended twice`)
        charged.set(task.id, 0)
        return
      case 'crash':
        await failLost(db, { nodeId: pick(nodeIds, command.which), running: () => [], resultTtlMs: 1_000 })
        return
      case 'sweep':
        await failOrphans(db, { deadAfterMs: 15_000, resultTtlMs: 1_000 })
    }
  }

  return {
    accountIds,
    balances,
    async perform(commands) {
      const known = [...tasks]
      await Promise.all(
        commands.map((command, index) =>
          perform(command, pick(processes, index), pick(nodeIds, index), known).catch(allowRefusal),
        ),
      )
    },
    async endAll() {
      for (const nodeId of nodeIds) await failLost(first, { nodeId, running: () => [], resultTtlMs: 1_000 })
    },
  }
}

/** What must hold whatever happened, and when. Throws in words. */
export async function expectSound(
  db: Kysely<Database>,
  { accountIds }: Pick<Play, 'accountIds'>,
): Promise<void> {
  const { rows } = await sql<{ id: string }>`
    select id from accounts where id = any(${accountIds}) and not (balance_micros >= reserved_micros and reserved_micros >= 0)
    union all
    select task_id from ledger_entries where account_id = any(${accountIds}) and kind in ('settle', 'release')
    group by task_id having count(*) > 1
    union all
    -- An idempotency key stands for one task, but for those that surely made nothing.
    select idempotency_key from tasks where account_id = any(${accountIds}) and idempotency_key is not null
      and (status in ('IN_PROGRESS', 'SUCCEEDED') or error ->> 'code' = 'outcome_unknown')
    group by account_id, idempotency_key having count(*) > 1`.execute(db)
  if (rows.length > 0) throw new Error(`not sound: ${rows.map(({ id }) => id).join(', ')}`)
}

/** Refusals are answers too; a failure is none. */
function allowRefusal(error: unknown): void {
  if (!(error instanceof GessoError)) throw error
  expectOneOf(error.code, ['invalid_image_request', 'reference_reused'])
}

function expectOneOf(word: string, allowed: readonly string[]): void {
  if (!allowed.includes(word)) throw new Error(`${word} is none of ${allowed.join(', ')}`)
}

function pick<Item>(items: readonly Item[], index: number): Item {
  const item = items[index % items.length]
  if (item === undefined) throw new Error('there is nothing to pick from')
  return item
}
