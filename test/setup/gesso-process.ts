/** A Gesso as a user starts it: a process of its own, told by its banner, ended by signals. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const program = resolve(import.meta.dirname, '../../bin/gesso.js')

/**
 * An ordinary user to run as, where the suite runs as root; undefined where it is an ordinary user already, and
 * null where such a user cannot reach the checkout or this Node.
 */
export function ordinaryUser(): number | undefined | null {
  if (process.getuid?.() !== 0) return undefined
  const nobody = 65_534
  const asNobody = { uid: nobody, gid: nobody, cwd: '/' }
  const { status } = spawnSync(process.execPath, [program, '--version'], asNobody)
  return status === 0 ? nobody : null
}

export interface GessoProcess {
  child: ChildProcess
  url: string
  key: string
  /** What it printed so far. */
  stdout(): string
  stderr(): string
  /** Sends a signal and waits for the end; answers the exit code, or null where a signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>
}

const living = new Map<ChildProcess, Promise<unknown>>()

/** Stops what a failed test left running, in order, its PostgreSQL too. For `afterEach`. */
export async function endLeftovers(): Promise<void> {
  for (const child of living.keys()) child.kill('SIGTERM')
  await Promise.all(living.values())
}

/** Starts `gesso serve` on a free port and waits for its banner. Rejects with what it said where it ends before. */
export async function startGesso(options: {
  dataDir: string
  env?: Record<string, string>
  command?: string[]
  cwd?: string
  /** Run as this user. */
  uid?: number
  waitMs?: number
}): Promise<GessoProcess> {
  const [command = process.execPath, ...args] = options.command ?? [process.execPath, program, 'serve']
  const child = spawn(command, args, {
    cwd: options.cwd,
    uid: options.uid,
    gid: options.uid,
    env: {
      PATH: process.env.PATH,
      HOME: options.dataDir,
      GESSO_DATA_DIR: options.dataDir,
      GESSO_PORT: '0',
      GESSO_LOG_LEVEL: 'warn',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  const ended = once(child, 'exit')
  living.set(child, ended)
  child.once('exit', () => living.delete(child))
  const deadline = Date.now() + (options.waitMs ?? 30_000)
  while (!/ready at (\S+)/.test(stdout)) {
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL')
      throw new Error(`gesso did not start (exit ${child.exitCode}): ${stdout}\n${stderr}`)
    }
    await new Promise((done) => setTimeout(done, 15))
  }
  return {
    child,
    url: /ready at (\S+)/.exec(stdout)?.[1] ?? '',
    key: options.env?.GESSO_ADMIN_KEY ?? readFileSync(join(options.dataDir, 'admin.key'), 'utf8').trim(),
    stdout: () => stdout,
    stderr: () => stderr,
    async end(signal) {
      child.kill(signal)
      await ended
      return child.exitCode
    },
  }
}
