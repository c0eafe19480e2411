/** Option values as the command line understands them; what it does not, is a usage error. */
import { InvalidArgumentError } from 'commander'
import { usdToMicros } from '../ledger/money-amount.ts'

/** A whole number. Which ones are allowed is the server's to say. */
export function wholeNumberOption(text: string): number {
  const value = Number(text)
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('It must be a whole number.')
  return value
}

/** A number. Which ones are allowed is the server's to say. */
export function numberOption(text: string): number {
  if (!/^-?\d{1,15}(\.\d{1,15})?$/.test(text)) throw new InvalidArgumentError('It must be a number.')
  return Number(text)
}

/** A whole number of at least 1. */
export function countOption(text: string): number {
  const value = wholeNumberOption(text)
  if (value < 1 || value > 10_000_000)
    throw new InvalidArgumentError('It must be a whole number from 1 to 10000000.')
  return value
}

const unitsMs: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** A duration such as `30d`, `12h`, `45m` or `2w`, in milliseconds. */
export function durationOption(text: string): number {
  const [, amount, unit] = /^([1-9]\d{0,4})([mhdw])$/.exec(text) ?? []
  if (!amount || !unit) throw new InvalidArgumentError('It must be a duration such as 45m, 12h, 30d or 2w.')
  return Number(amount) * (unitsMs[unit] ?? 0)
}

/** US dollars such as `10.50`, with up to six decimals, as exact micro-USD. */
export function usdOption(text: string): number {
  const micros = usdToMicros(text)
  if (micros === undefined || micros < 0 || text.startsWith('-'))
    throw new InvalidArgumentError(
      'It must be US dollars such as 10.50, from 0 to 9000000 with at most six decimals.',
    )
  return micros
}

/** The same as another option, or `none`, which takes away what is there. The parser of options cannot carry null. */
export function orNone<Value>(read: (text: string) => Value): (text: string) => Value | 'none' {
  return (text) => (text === 'none' ? 'none' : read(text))
}

/** What such an option says: null for `none`. */
export function valueOrNull<Value>(option: Value | 'none' | undefined): Value | null | undefined {
  return option === 'none' ? null : option
}

/** For options that can be given several times. */
export function collectOption(value: string, before: string[] = []): string[] {
  return [...before, value]
}

/** What something is called. */
export function nameOption(text: string): string {
  const name = text.trim()
  if (name === '' || name.length > 100) throw new InvalidArgumentError('It must have 1 to 100 characters.')
  return name
}
