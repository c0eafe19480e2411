/** The settings of an account as options, for the commands that make and change one. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { type Billing, billings } from '../accounts/account.ts'
import { keyDefaultNames } from '../keys/key-defaults.ts'
import { collectOption, nameOption, orNone, wholeNumberOption } from './option-values.ts'
import { addLimitOptions, type LimitOptions } from './option-values-limits.ts'

export interface AccountSettingOptions extends LimitOptions {
  name?: string
  billing?: Billing
  freeImages?: number | 'none'
  default?: string[]
}

/** Adds name, billing, limits, free pictures and defaults; `removable` ones can also be `none`. */
export function addAccountSettings(command: Command, { removable }: { removable: boolean }): Command {
  command
    .option('--name <name>', 'whose account it is', nameOption)
    .addOption(
      new Option('--billing <kind>', 'metered pays, unmetered does not: its costs are only recorded').choices(
        billings,
      ),
    )
    .option(
      '--free-images <count>',
      `free pictures in any 24 hours${removable ? ", or none for the server's default" : " (default: the server's)"}`,
      removable ? orNone(freeImagesOption) : freeImagesOption,
    )
    .option(
      '--default <field=value>',
      `filled in where its keys and their callers are silent, again for each: ${keyDefaultNames.join(', ')}`,
      collectOption,
    )
  return addLimitOptions(command, { removable })
}

function freeImagesOption(text: string): number {
  const count = wholeNumberOption(text)
  if (count < 0 || count > 1_000_000)
    throw new InvalidArgumentError('It must be a whole number from 0 to 1000000.')
  return count
}
