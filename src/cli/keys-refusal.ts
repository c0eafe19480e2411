/** What the verbs of keys and accounts refuse, said on the command line: the API's own error, and an exit code. */
import { GessoError } from '../lib/errors.ts'
import { exitCode } from './exit-code.ts'
import { CommandFailure, type ExitCode } from './failure.ts'

type Hints = Partial<Record<GessoError['code'], string>>

const kinds: Partial<Record<GessoError['code'], { exitCode: ExitCode; type: string; hint?: string }>> = {
  account_not_found: {
    exitCode: exitCode.notFound,
    type: 'not_found_error',
    hint: '`gesso accounts list` shows the accounts.',
  },
  key_not_found: {
    exitCode: exitCode.notFound,
    type: 'not_found_error',
    hint: '`gesso keys list` shows the ids.',
  },
  model_not_found: { exitCode: exitCode.notFound, type: 'not_found_error' },
  last_admin_key: { exitCode: exitCode.refused, type: 'conflict_error' },
  reference_reused: { exitCode: exitCode.refused, type: 'conflict_error' },
  overloaded: { exitCode: exitCode.unexpected, type: 'upstream_error' },
  invalid_image_request: { exitCode: exitCode.refused, type: 'invalid_request_error' },
}

/** The result; a refusal becomes a `CommandFailure`. `hints` are what the command can say beside one. */
export async function told<Result>(work: () => Result | Promise<Result>, hints: Hints = {}): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    const kind = error instanceof GessoError ? kinds[error.code] : undefined
    if (!kind || !(error instanceof GessoError)) throw error
    const { code, message, param } = error
    throw new CommandFailure({ ...kind, code, message, param, hint: hints[error.code] ?? kind.hint })
  }
}
