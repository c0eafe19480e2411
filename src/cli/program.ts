/**
 * The command line: what can be called, and how what went wrong is told. What a command needs is loaded when it
 * runs: `gesso --help` must not wait for a database driver.
 */
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { addAccountsCreate } from './accounts-create.ts'
import { addAccountsCredit } from './accounts-credit.ts'
import { addAccountsList } from './accounts-list.ts'
import { addAccountsUpdate } from './accounts-update.ts'
import { addConfigCheck } from './config-check.ts'
import { addDoctor } from './doctor.ts'
import { usageFailure } from './failure.ts'
import { addGenerate } from './generate.ts'
import { addKeysCreate } from './keys-create.ts'
import { addKeysList } from './keys-list.ts'
import { addKeysRevoke } from './keys-revoke.ts'
import { addKeysRotate } from './keys-rotate.ts'
import { addKeysUpdate } from './keys-update.ts'
import { addMigrate } from './migrate.ts'
import { addModels } from './models.ts'
import { addTasksGet } from './tasks-get.ts'
import { tellFailure } from './tell-failure.ts'

const epilogue = `
Examples:
  gesso serve
  gesso generate "three neon orange foxes in a misty forest at night"
  gesso generate "a red boat" -m gesso-collage --size 1536x1024 -o boat.webp
  gesso models --json | jq -r '.data[].id'
  gesso keys create --name ci --rpm 60 --expires-in 30d
  gesso accounts create --name acme --free-images 20
  gesso accounts credit acme 25.00
  gesso doctor

The result goes to stdout, everything else to stderr. With --json the result is one JSON object, and an error is
the API's own error body on stderr. In scripts call it as \`npx gesso\` or \`npm run -s gesso --\`: without -s,
npm adds lines of its own.

Environment:
  GESSO_URL         the server to use; without it the one that runs here, else one is started for the call
  GESSO_API_KEY     the key to use; without it the admin key of the data directory
  GESSO_DATA_DIR    the data directory, ./.gesso unless set

Exit codes:
  0  ok                              5    refused: validation, moderation, too large
  1  unexpected                      6    limit reached or credit used up
  2  usage or configuration          7    the provider failed or timed out
  3  not signed in, or not allowed   8    the server cannot be reached
  4  not found                       130  interrupted`

/** Runs one command and leaves its exit code with the process; a failure ends the process once it is told. */
export async function runCommandLine(
  argv: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  // A reader that has seen enough (`gesso models | head`) and a terminal that was closed are no failures, and no
  // reason to leave a PostgreSQL behind.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
    })
  }
  const json = asksForJson(argv)
  const program = buildProgram(env, { json })
  try {
    await program.parseAsync(argv)
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return
    process.exitCode = tellFailure(error instanceof CommanderError ? asUsageFailure(error) : error, {
      json,
      debug: env.GESSO_LOG_LEVEL === 'debug',
    })
    // The database driver keeps a connection open for a minute when it has no password to answer with.
    await new Promise((resolve) => process.stderr.write('', resolve))
    process.exit()
  }
}

function buildProgram(env: NodeJS.ProcessEnv, { json }: { json: boolean }): Command {
  const program = new Command('gesso')
    .description('A self-hosted image-generation gateway.')
    .version(version(), '-V, --version', 'print the version')
    .exitOverride()
    // Mistakes are told by `tellFailure`, in the form that was asked for; help without a command stays help.
    .configureOutput({ outputError() {}, ...(json ? { writeErr() {} } : {}) })
    .addHelpText('after', epilogue)
  program
    .command('serve')
    .description('Start the server.')
    .action(async () => (await import('./serve.ts')).serve())
  addGenerate(program, env)
  addModels(program, env)
  const keys = program.command('keys').description('Make, list, change, rotate and revoke API keys.')
  addKeysCreate(keys, env)
  addKeysList(keys, env)
  addKeysUpdate(keys, env)
  addKeysRotate(keys, env)
  addKeysRevoke(keys, env)
  const accounts = program.command('accounts').description('Make, list, credit and change accounts.')
  addAccountsCreate(accounts, env)
  addAccountsList(accounts, env)
  addAccountsCredit(accounts, env)
  addAccountsUpdate(accounts, env)
  addTasksGet(program.command('tasks').description('Look at generations.'), env)
  addConfigCheck(program.command('config').description('Look at the configuration.'), env)
  addDoctor(program, env)
  addMigrate(program, env)
  return program
}

/** Known before the command line is parsed, as it may not parse. */
function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return argv.slice(2, end === -1 ? undefined : end).includes('--json')
}

function asUsageFailure(error: CommanderError): Error {
  // A command that only groups others was called alone, and its help is on stderr already.
  if (error.code === 'commander.help')
    return usageFailure(null, 'Say which command to run; --help lists them.')
  const message = error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ')
  return usageFailure(
    null,
    `${message.charAt(0).toUpperCase()}${message.slice(1)}${/[.?)]$/.test(message) ? '' : '.'} Add --help to see what can be said.`,
  )
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
