/** The results as people read them: absolute numbers, and beside them what only one run can tell, the ratios. */
import { cpus, loadavg, totalmem } from 'node:os'
import type { Measurement } from './load.ts'
import type { AnswerSize } from './upstream.ts'

export interface Row {
  name: string
  /** Undefined where the target is not installed. */
  measured?: Measurement
  peakRssBytes?: number
}

export interface Section {
  size: AnswerSize
  pictureBytes: number
  direct: Measurement
  nginx?: Measurement
  rows: readonly Row[]
}

const columns = [
  '',
  'req/s',
  '÷ direct',
  '÷ nginx',
  'p50 ms',
  'p99 ms',
  'p50 over direct',
  'p50 over nginx',
  'peak RSS',
]

/** The heading and table of one size of answer, in Markdown that also reads well on a terminal. */
export function renderSection(section: Section): string {
  const table = [columns, ...section.rows.map((row) => cells(row, section))]
  const widths = columns.map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0)))
  const lines = table.map(
    (line) =>
      `| ${line.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join(' | ')} |`,
  )
  const rule = `|${widths.map((width, at) => (at === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [`## ${heading(section)}`, '', lines[0], rule, ...lines.slice(1), ''].join('\n')
}

function heading({ size, pictureBytes }: Section): string {
  const bytes = pictureBytes < 100_000 ? `${pictureBytes} bytes` : `${(pictureBytes / 1e6).toFixed(2)} MB`
  return `${size === 'small' ? 'Small' : 'Large'} answers: one PNG of ${bytes}`
}

function cells({ name, measured, peakRssBytes }: Row, { direct, nginx }: Section): string[] {
  if (!measured) return [name, 'not installed', ...columns.slice(2).map(() => '')]
  const perSecond = measured.requestsPerSecond
  return [
    name,
    perSecond.toFixed(perSecond < 1_000 ? 1 : 0),
    ratio(perSecond, direct.requestsPerSecond),
    nginx ? ratio(perSecond, nginx.requestsPerSecond) : '',
    measured.p50Ms.toFixed(2),
    measured.p99Ms.toFixed(2),
    difference(measured.p50Ms, direct.p50Ms),
    nginx ? difference(measured.p50Ms, nginx.p50Ms) : '',
    peakRssBytes === undefined ? '' : `${Math.round(peakRssBytes / 1e6)} MB`,
  ]
}

/** Two digits that say something, however small it is. */
function ratio(value: number, base: number): string {
  return String(Number((value / base).toPrecision(2)))
}

/** Latencies as a difference and a factor: `+2.10 ms (4.2×)`. */
function difference(ms: number, baseMs: number): string {
  const addedMs = ms - baseMs
  return `${addedMs < 0 ? '−' : '+'}${Math.abs(addedMs).toFixed(2)} ms (${(ms / baseMs).toFixed(1)}×)`
}

/** What the numbers were measured on, and how to read them. */
export function renderPreamble(run: { now: Date; nginxVersion?: string; loadBefore: number }): string {
  const processors = cpus()
  return `# Bench

Written by \`npm run bench\`. Only the columns with ratios and differences carry over to other machines.

- Date: ${run.now.toISOString().slice(0, 10)}
- Machine: ${processors[0]?.model.trim() ?? 'unknown processor'}, ${processors.length} cores, ${(totalmem() / 2 ** 30).toFixed(1)} GiB of memory, ${process.platform} ${process.arch}
- Node ${process.version}; ${run.nginxVersion ?? 'nginx is not installed'}
- Load average in the minute before: ${run.loadBefore.toFixed(2)} (far above 0 means that others used the machine, and the numbers are noisy)

The provider answers at once with a picture in base64, from memory. *direct* asks it without anything between,
*nginx* through a bare proxy with one worker. Gesso admits, inspects, stores the file and the rows durably and only then answers,
with the picture (\`b64_json\`) or a link to it (\`url\`). Requests per second are with 16 connections, latencies
with one. Provider, proxy, Gesso, its PostgreSQL and the load generator share the machine's cores, so
throughput is of all of them together. Peak RSS is Gesso's own process, without PostgreSQL.
`
}

/** The load of the last minute, for the preamble. */
export function loadOfLastMinute(): number {
  return loadavg()[0] ?? 0
}
