/** `gesso doctor`: looks at everything a Gesso needs, changes nothing, and calls no provider. */

import { styleText } from 'node:util'
import type { Command } from 'commander'
import { exitCode } from './exit-code.ts'
import { writeJson } from './output.ts'
import { printable } from './printable.ts'

const colours = { pass: 'green', warn: 'yellow', fail: 'red' } as const

/** Adds the command. */
export function addDoctor(program: Command, env: NodeJS.ProcessEnv): void {
  program
    .command('doctor')
    .description('Look for what is wrong with this install; exit code 1 where something is.')
    .option('--json', '{"ok", "checks": [{"name", "status", "message"}]}')
    .action(async (options: { json?: boolean }) => {
      const { examine } = await import('./doctor/examine.ts')
      const findings = await examine(env)
      const ok = findings.every((finding) => finding.status !== 'fail')
      if (options.json) writeJson({ ok, checks: findings })
      else {
        const lines = findings.map(({ name, status, message }) => {
          const word = styleText(colours[status], status, { stream: process.stdout })
          return `${word}  ${name.padEnd(14)}  ${printable(message)}\n`
        })
        process.stdout.write(lines.join(''))
      }
      if (!ok) process.exitCode = exitCode.unexpected
    })
}
