/** Usage as callers see it: a list with its total, or the same rows as a CSV file. */
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import { type UsageQuery, type UsageRow, usageColumns } from '../../../usage/summarise-usage.ts'
import { toCsv } from './to-csv.ts'

const count = z.int().nonnegative()

/** The sums that every caller sees. */
const ownSums = z.object({
  requests: count.describe('With those that are at work.'),
  succeeded: count,
  failed: count,
  images: count.describe('Pictures that were delivered.'),
  list_micros: count.describe('Micro-USD by the price list, also where nothing is charged.'),
  charged_micros: count.describe('Micro-USD taken from credit, before refunds.'),
  unpriced_images: count.describe('Pictures without a price, which `list_micros` leaves out.'),
})

const adminSums = ownSums.extend({
  provider_micros: count.describe('Micro-USD that the providers asked, as far as it is known.'),
  not_reported: count.describe('Requests with pictures of which `provider_micros` knows nothing.'),
})

/** Whose figures are shown: the providers' are the operator's alone. */
export type Audience = 'caller' | 'operator'

function usageAnswer<Sums extends z.ZodObject>(sums: Sums, id: string) {
  return z
    .object({
      object: z.literal('list'),
      from: z.iso.date(),
      to: z.iso.date().describe('Included.'),
      group_by: z.array(z.string()),
      data: z
        .array(sums.catchall(z.string().nullable()))
        .describe('With the columns of `group_by` in front.'),
      has_more: z.literal(false),
      total: sums.describe('The sum of all rows.'),
    })
    .meta({ id })
}

export const ownUsageAnswer = usageAnswer(ownSums, 'Usage')
export const adminUsageAnswer = usageAnswer(adminSums, 'AdminUsage')

/** Sends the rows in the form that was asked for. */
export function sendUsage(
  reply: FastifyReply,
  asked: Pick<UsageQuery, 'from' | 'to' | 'groupBy'>,
  rows: readonly UsageRow[],
  options: { audience: Audience; csv: boolean },
): FastifyReply {
  const { from, to, groupBy } = asked
  reply.header('cache-control', 'no-store').header('vary', 'accept')
  const data = rows.map((row) => ({ ...row.group, ...presentSums(row, options.audience) }))
  const total = presentSums(rows.reduce(add, nothing), options.audience)
  if (options.csv) {
    return reply
      .type('text/csv; charset=utf-8; header=present')
      .header('content-disposition', `attachment; filename="usage-${from}-${to}.csv"`)
      .send(toCsv([...usageColumns(groupBy), ...Object.keys(total)], data))
  }
  return reply.send({ object: 'list', from, to, group_by: groupBy, data, has_more: false, total })
}

type Sums = Omit<UsageRow, 'group'>

function presentSums(sums: Sums, audience: Audience): Record<string, number> {
  return {
    requests: sums.requests,
    succeeded: sums.succeeded,
    failed: sums.failed,
    images: sums.images,
    list_micros: sums.listMicros,
    ...(audience === 'operator' ? { provider_micros: sums.providerMicros } : {}),
    charged_micros: sums.chargedMicros,
    unpriced_images: sums.unpricedImages,
    ...(audience === 'operator' ? { not_reported: sums.notReported } : {}),
  }
}

const nothing: Sums = {
  requests: 0,
  succeeded: 0,
  failed: 0,
  images: 0,
  listMicros: 0,
  providerMicros: 0,
  chargedMicros: 0,
  unpricedImages: 0,
  notReported: 0,
}

function add(left: Sums, right: Sums): Sums {
  return {
    requests: left.requests + right.requests,
    succeeded: left.succeeded + right.succeeded,
    failed: left.failed + right.failed,
    images: left.images + right.images,
    listMicros: left.listMicros + right.listMicros,
    providerMicros: left.providerMicros + right.providerMicros,
    chargedMicros: left.chargedMicros + right.chargedMicros,
    unpricedImages: left.unpricedImages + right.unpricedImages,
    notReported: left.notReported + right.notReported,
  }
}
