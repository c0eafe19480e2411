/**
 * The kinds of value a setting can have. Each accepts what `gesso.yaml` holds and what an environment
 * variable holds (always text), and says in `expected` what a good value looks like, for the start-up report.
 */
import { z } from 'zod'
import { Secret } from './secret.ts'

/** A whole number between `min` and `max`; text of digits counts. */
export function wholeNumber(range: { min: number; max: number }) {
  const expected = `a whole number from ${range.min} to ${range.max}`
  return z
    .union(
      [
        z.number(),
        z
          .string()
          .regex(/^\d{1,15}$/)
          .transform(Number),
      ],
      { error: expected },
    )
    .refine((value) => Number.isInteger(value) && value >= range.min && value <= range.max, {
      error: expected,
    })
}

/** Text of at least one character. */
export function text(expected = 'text') {
  return z.string({ error: expected }).trim().min(1, { error: expected })
}

/** One of a few words. */
export function oneOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, { error: `one of ${words.join(', ')}` })
}

/** An absolute http or https URL without credentials; a trailing slash is dropped. */
export function httpUrl() {
  const expected = 'an http or https URL such as https://images.example.com'
  return z.string({ error: expected }).transform((value, context) => {
    const url = URL.canParse(value) ? new URL(value) : undefined
    if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) {
      context.addIssue({ code: 'custom', message: expected })
      return z.NEVER
    }
    return value.replace(/\/+$/, '')
  })
}

/** A list of words; an environment variable separates them by commas. */
export function wordList(expected = 'a list of words') {
  return z.union(
    [
      z.array(z.string()),
      z.string().transform((value) =>
        value
          .split(',')
          .map((word) => word.trim())
          .filter((word) => word !== ''),
      ),
    ],
    { error: expected },
  )
}

/** Text that is never printed. */
export function secret(options: { minLength?: number; expected?: string } = {}) {
  const minLength = options.minLength ?? 1
  const expected = options.expected ?? (minLength > 1 ? `at least ${minLength} characters` : 'text')
  return z
    .string({ error: expected })
    .refine((value) => value.length >= minLength, { error: expected })
    .transform((value) => new Secret(value))
}
