/** The limits of keys and accounts as options: the same words for both, and `none` where one can be taken away. */
import { type Command, Option } from 'commander'
import type { Limits } from '../keys/limits.ts'
import { countOption, orNone, usdOption, valueOrNull } from './option-values.ts'

export interface LimitOptions {
  rpm?: number | 'none'
  imagesPerMinute?: number | 'none'
  imagesPerDay?: number | 'none'
  concurrency?: number | 'none'
  spendPerDay?: number | 'none'
  spendPerMonth?: number | 'none'
  spendTotal?: number | 'none'
}

const descriptions: Record<string, string> = {
  'rpm <count>': 'generations per minute',
  'images-per-minute <count>': 'pictures in any 60 seconds',
  'images-per-day <count>': 'pictures in any 24 hours',
  'concurrency <count>': 'generations at once',
  'spend-per-day <usd>': 'US dollars by UTC day, such as 2.50',
  'spend-per-month <usd>': 'US dollars by UTC month',
  'spend-total <usd>': 'US dollars, ever',
}

/** Adds the options; `removable` ones can also be `none`. */
export function addLimitOptions(command: Command, { removable }: { removable: boolean }): Command {
  for (const [flags, description] of Object.entries(descriptions)) {
    const read = flags.endsWith('<usd>') ? usdOption : countOption
    command.addOption(
      new Option(`--${flags}`, removable ? `${description}, or none` : description).argParser(
        removable ? orNone(read) : read,
      ),
    )
  }
  return command
}

/** The limits that were named. */
export function limitsOf(options: LimitOptions): Partial<Limits> {
  return {
    requestsPerMinute: valueOrNull(options.rpm),
    imagesPerMinute: valueOrNull(options.imagesPerMinute),
    imagesPerDay: valueOrNull(options.imagesPerDay),
    concurrency: valueOrNull(options.concurrency),
    spendPerDayMicros: valueOrNull(options.spendPerDay),
    spendPerMonthMicros: valueOrNull(options.spendPerMonth),
    spendTotalMicros: valueOrNull(options.spendTotal),
  }
}
