/**
 * Runs one short-lived program (initdb, pg_ctl, unshare) and waits for its end.
 *
 * PostgreSQL is a stranger to Gesso's secrets: the program gets a fixed, small environment and never ours,
 * which holds provider keys. Must never be given a password as an argument: arguments end up in messages.
 */

import { spawn } from 'node:child_process'
import { basename } from 'node:path'

/** Where programs such as `unshare` and `useradd` are looked up unless a caller says otherwise. */
export const standardSearchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** As whom a program runs: through a wrapping command, as another user, or (empty prefix, no ids) as we are. */
export interface RunAs {
  readonly prefix: readonly string[]
  readonly uid?: number
  readonly gid?: number
}

/** As the current user. */
export const runAsIs: RunAs = { prefix: [] }

/** What to run, and where. */
export interface CommandLine {
  command: string
  args: readonly string[]
  runAs?: RunAs
  cwd?: string
  searchPath?: string
  /** The program is killed after this long; 30,000 when left out. */
  timeoutMs?: number
}

/** A program that could not be run, or ended with something else than 0. The message has its last output. */
export class CommandFailedError extends Error {
  override name = 'CommandFailedError'
  /** The last 4,000 characters it wrote to stdout and stderr. */
  readonly output: string

  constructor(message: string, output: string, cause?: unknown) {
    super(output === '' ? message : `${message}:\n${output}`, cause === undefined ? undefined : { cause })
    this.output = output
  }
}

const outputTailLength = 4_000
// A grandchild may keep the pipes open after the program itself has ended; its output is not waited for.
const pipeGraceMs = 300

/** Runs a program to its end and gives its output. Throws {@link CommandFailedError}. */
export function runCommand(line: CommandLine): Promise<string> {
  const { command, args, runAs = runAsIs, cwd, timeoutMs = 30_000 } = line
  const [program = command, ...rest] = [...runAs.prefix, command, ...args]
  const name = basename(command)
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, {
      cwd,
      uid: runAs.uid,
      gid: runAs.gid,
      // UTC spares initdb its search for the name of the local time zone.
      env: { PATH: line.searchPath ?? standardSearchPath, LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'pipe'],
      // Its own session: Ctrl-C in our terminal must not cut initdb or pg_ctl in the middle.
      detached: process.platform !== 'win32',
      windowsHide: true,
    })
    let output = ''
    const collect = (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-outputTailLength)
    }
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)

    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      child.kill('SIGKILL')
    }, timeoutMs)

    const finish = (code: number | null, signal: NodeJS.Signals | null) => {
      clearTimeout(timer)
      child.stdout.destroy()
      child.stderr.destroy()
      const tail = output.trim()
      if (code === 0) resolve(tail)
      else if (timedOut) reject(new CommandFailedError(`${name} did not end within ${timeoutMs} ms`, tail))
      else reject(new CommandFailedError(`${name} ended with ${code ?? signal}`, tail))
    }
    child.once('error', (error) => {
      clearTimeout(timer)
      reject(new CommandFailedError(`${name} could not be run (${error.message})`, '', error))
    })
    child.once('exit', (code, signal) => {
      const grace = setTimeout(finish, pipeGraceMs, code, signal)
      child.once('close', () => {
        clearTimeout(grace)
        finish(code, signal)
      })
    })
  })
}
