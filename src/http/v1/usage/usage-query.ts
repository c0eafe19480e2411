/** What callers may ask of usage, and what they leave to us. */
import { z } from 'zod'
import { badRequest } from '../../../lib/errors.ts'
import { type UsageGroup, type UsageQuery, usageGroups } from '../../../usage/summarise-usage.ts'

const mostDays = 366
const usualDays = 30
const dayMs = 86_400_000

const firstDay = '1970-01-01'
const dayError = `a day as YYYY-MM-DD, from ${firstDay} on`
const day = z.iso.date({ error: dayError }).refine((text) => text >= firstDay, { error: dayError })

/** Some of these words, with commas between them, each once. */
function groups(allowed: readonly UsageGroup[]) {
  const error = `one or several of ${allowed.join(', ')}, with commas between them`
  return z.string({ error }).transform((text, context): UsageGroup[] => {
    const words = text.split(',').map((word) => word.trim())
    const known = allowed.filter((group) => words.includes(group))
    if (known.length === words.length) return words.flatMap((word) => known.filter((group) => group === word))
    context.addIssue({ code: 'custom', message: error })
    return z.NEVER
  })
}

const formatError = 'json or csv'

/** The query of an operation whose callers may group by these. */
export function usageQuery(allowed: readonly UsageGroup[]) {
  return z.strictObject({
    from: day.optional().describe('The first day in UTC, as YYYY-MM-DD; default 29 days before the last.'),
    to: day
      .optional()
      .describe(`The last day in UTC, included; default today. At most ${mostDays} days in all.`),
    group_by: groups(allowed)
      .optional()
      .describe(`One or several of ${allowed.join(', ')}, with commas between them; default day.`),
    format: z
      .enum(['json', 'csv'], { error: formatError })
      .optional()
      .describe('`csv` for a file; so does the header `Accept: text/csv`.'),
  })
}

/** What callers may group their own usage by: who serves a model is the operator's affair. */
export const ownGroups = usageGroups.filter((group) => group !== 'account' && group !== 'provider')

/** Fills in what was left out. Throws a 400 where the days are the wrong way round, or too many. */
export function usageAsked(
  query: z.output<ReturnType<typeof usageQuery>>,
  now: Date,
): Pick<UsageQuery, 'from' | 'to' | 'groupBy'> {
  const to = query.to ?? dayOf(now.getTime())
  const from = query.from ?? dayOf(Date.parse(to) - (usualDays - 1) * dayMs)
  const days = (Date.parse(to) - Date.parse(from)) / dayMs + 1
  if (days < 1) throw badRequest('from', `from is ${from}, but must not be later than the last day, ${to}.`)
  if (days > mostDays) {
    throw badRequest(
      'from',
      `from is ${from}, ${days} days up to ${to}, but at most ${mostDays} can be asked for.`,
    )
  }
  return { from, to, groupBy: query.group_by ?? ['day'] }
}

function dayOf(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10)
}

/** Does the caller want a file? What the address says counts more than the header. */
export function wantsCsv(query: { format?: 'json' | 'csv' }, accept: string | undefined): boolean {
  if (query.format !== undefined) return query.format === 'csv'
  return /^\s*text\/csv\b/i.test(accept?.split(',')[0] ?? '')
}
