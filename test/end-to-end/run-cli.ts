/** The command line as people and scripts meet it: a process of its own, in a folder of its own. */
import { spawn } from 'node:child_process'
import { buffer } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../bin/gesso.js', import.meta.url))

export interface CliRun {
  code: number | null
  stdout: string
  stdoutBytes: Buffer
  stderr: string
}

export interface CliOptions {
  cwd: string
  env: Record<string, string>
  /** What comes from stdin. */
  input?: string
  /** Called once it runs, with a way to send a signal. */
  onStart?(kill: (signal: NodeJS.Signals) => void): void
  /** Hears of each piece of stderr, with a way to send a signal. */
  onStderr?(text: string, kill: (signal: NodeJS.Signals) => void): void
}

/** Runs one command to its end. Nothing of this process's own environment but PATH and HOME reaches it. */
export async function runCli(args: readonly string[], options: CliOptions): Promise<CliRun> {
  const { PATH, HOME } = process.env
  const child = spawn(process.execPath, [program, ...args], {
    cwd: options.cwd,
    env: { ...(PATH ? { PATH } : {}), ...(HOME ? { HOME } : {}), GESSO_PORT: '0', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  options.onStart?.((signal) => child.kill(signal))
  child.stdin.end(options.input ?? '')
  child.stderr.on('data', (chunk: Buffer) =>
    options.onStderr?.(chunk.toString(), (signal) => child.kill(signal)),
  )
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const [stdout, stderr, code] = await Promise.all([buffer(child.stdout), buffer(child.stderr), exited])
  return { code, stdout: stdout.toString(), stdoutBytes: stdout, stderr: stderr.toString() }
}
