/** Lists in pages, as all operations of the operator show them: newest first, from one cursor to the next. */
import { z } from 'zod'
import { type IdPrefix, isId } from '../../../lib/ids.ts'

const limitError = 'a whole number from 1 to 1000'
const cursorError = 'the next_cursor of the page before'

const limit = z
  .string({ error: limitError })
  .regex(/^\d{1,4}$/, { error: limitError })
  .transform(Number)
  .refine((value) => value >= 1 && value <= 1_000, { error: limitError })
  .optional()
  .describe('1 to 1000, default 100.')

const cursorMeaning = 'The `next_cursor` of the page before.'

/** Fields of a query that asks for a page of things with ids of this kind. */
export function pageFields(prefix: IdPrefix) {
  const cursor = z.string({ error: cursorError }).refine((text) => isId(prefix, text), { error: cursorError })
  return { limit, cursor: cursor.optional().describe(cursorMeaning) }
}

/** The same of things that are numbered. */
export const numberedPageFields = {
  limit,
  cursor: z
    .string({ error: cursorError })
    .regex(/^\d{1,15}$/, { error: cursorError })
    .transform(Number)
    .optional()
    .describe(cursorMeaning),
}

export const defaultPageLimit = 100

const accountError = 'the id of an account: acct_ and 24 hex digits'

/** A query or a body that names an account. */
export const accountFilter = {
  account_id: z
    .string({ error: accountError })
    .refine((text) => isId('acct', text), { error: accountError })
    .optional()
    .describe('Only those of this account.'),
}

/** The answer's schema, of items like this. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({
    object: z.literal('list'),
    data: z.array(item),
    has_more: z.boolean(),
    next_cursor: z.string().optional().describe('Ask for it as `cursor` to go on; absent at the end.'),
  })
}

/** A page as it is answered. The cursor is what names its last item. */
export function toPage<Item>(
  data: readonly Item[],
  hasMore: boolean,
  cursorOf: (item: Item) => string,
): { object: 'list'; data: readonly Item[]; has_more: boolean; next_cursor?: string } {
  const last = data.at(-1)
  return {
    object: 'list',
    data,
    has_more: hasMore,
    ...(hasMore && last !== undefined ? { next_cursor: cursorOf(last) } : {}),
  }
}
