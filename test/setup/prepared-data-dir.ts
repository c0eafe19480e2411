/** A data directory whose PostgreSQL is made already, for tests that are not about making it: initdb takes seconds. */
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { inject } from 'vitest'

/** Fills the directory, which is made where it is missing. Nothing runs in it. */
export function copyPreparedDataDir(target: string): void {
  mkdirSync(target, { recursive: true, mode: 0o700 })
  execFileSync('cp', ['-a', `${inject('preparedDataDir')}/.`, target])
}
