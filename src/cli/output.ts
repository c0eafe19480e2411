/**
 * Who reads what: the result goes to stdout, talk to stderr, and with `--json` there is one object and no talk.
 */
import { printable, printableJson } from './printable.ts'

/** Talk beside the result. Silent with `--json` and `--quiet`. */
export interface Talk {
  readonly silent: boolean
  /** One line on stderr. */
  say(line: string): void
}

/** Builds the talk of a command from its options. */
export function createTalk(options: { json?: boolean; quiet?: boolean }): Talk {
  const silent = options.json === true || options.quiet === true
  return {
    silent,
    say(line) {
      if (!silent) process.stderr.write(`${printable(line)}\n`)
    },
  }
}

/** The result of a command with `--json`: one object on stdout. */
export function writeJson(value: unknown): void {
  process.stdout.write(`${printableJson(value, { indent: process.stdout.isTTY === true })}\n`)
}

/** The result of a command for people: lines on stdout. */
export function writeLines(lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${printable(line)}\n`).join(''))
}

/** Rows under a heading, in columns as wide as their widest cell. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const lines = [heading, ...rows].map((row) => row.map(printable))
  const widths = heading.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** Names and what they are, in two columns. */
export function facts(pairs: readonly (readonly [name: string, value: string | undefined])[]): string[] {
  const known = pairs.filter((pair): pair is readonly [string, string] => pair[1] !== undefined)
  const width = Math.max(...known.map(([name]) => name.length))
  return known.map(([name, value]) => `  ${name.padEnd(width)}  ${printable(value)}`)
}
