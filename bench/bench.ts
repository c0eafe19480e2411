/**
 * `npm run bench`: what Gesso adds to a provider that answers at once, beside asking the provider directly and
 * through nginx. Everything it starts is a child of its own and ends with it, also after Ctrl-C or a failure.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startBenchedGesso } from './gesso.ts'
import { type Durations, measure, type Target } from './load.ts'
import { type Nginx, startNginx } from './nginx.ts'
import { loadOfLastMinute, type Row, renderPreamble, renderSection, type Section } from './report.ts'
import { type AnswerSize, startUpstream, type Upstream } from './upstream.ts'

const path = '/images/generations'
const sizes: readonly AnswerSize[] = ['small', 'large']
const normal: Durations = { warmUpSeconds: 2, throughputSeconds: 6, latencySeconds: 4 }
const quick: Durations = { warmUpSeconds: 1, throughputSeconds: 2, latencySeconds: 2 }
/** A run that takes this long is stuck. */
const timeoutMs = 150_000

type ResponseFormat = 'b64_json' | 'url'

interface Bench {
  upstream: Upstream
  nginx: Nginx | undefined
  durations: Durations
  signal: AbortSignal
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { quick: { type: 'boolean' }, only: { type: 'string' } } })
  const chosen = sizes.filter((size) => values.only === undefined || values.only === size)
  if (chosen.length === 0) throw new Error(`--only takes ${sizes.join(' or ')}`)
  const signal = AbortSignal.any([interrupted(), AbortSignal.timeout(timeoutMs)])

  const loadBefore = loadOfLastMinute()
  await using upstream = await startUpstream(signal)
  await using nginx = await startNginx(upstream.port, signal)
  const bench: Bench = { upstream, nginx, durations: values.quick ? quick : normal, signal }

  const preamble = renderPreamble({ now: new Date(), nginxVersion: nginx?.version, loadBefore })
  process.stdout.write(`${preamble}\n`)
  const sections: string[] = []
  for (const size of chosen) {
    const section = renderSection(await measureSize(bench, size))
    process.stdout.write(`${section}\n`)
    sections.push(section)
  }
  // Short and partial runs are for looking; only a whole one is kept.
  if (values.quick || values.only) return
  writeFileSync(join(import.meta.dirname, 'results.md'), [preamble, ...sections].join('\n'))
}

/** One target after the other, never two at once. */
async function measureSize(bench: Bench, size: AnswerSize): Promise<Section> {
  const { upstream, durations, signal } = bench
  const directUrl = upstream.baseUrl(size) + path
  tell(`${size}: direct`)
  const direct = await measure(target(directUrl), durations, signal)
  tell(`${size}: nginx`)
  const nginx =
    bench.nginx &&
    (await measure(target(bench.nginx.origin + new URL(directUrl).pathname), durations, signal))
  const rows: Row[] = [
    { name: 'direct', measured: direct },
    { name: 'nginx', measured: nginx },
  ]
  for (const format of ['b64_json', 'url'] as const) {
    tell(`${size}: Gesso, ${format}`)
    rows.push(await measureGesso(bench, size, format))
  }
  return { size, pictureBytes: upstream.pictureBytes[size], direct, nginx, rows }
}

async function measureGesso(bench: Bench, size: AnswerSize, format: ResponseFormat): Promise<Row> {
  bench.signal.throwIfAborted()
  await using gesso = await startBenchedGesso(bench.upstream.baseUrl(size))
  const asked = target(`${gesso.url}/v1${path}`, { key: gesso.key, format })
  await checkAnswer(asked, format, bench.upstream.pictureBytes[size])
  const measured = await measure(asked, bench.durations, bench.signal)
  return { name: `Gesso ${format}`, measured, peakRssBytes: gesso.peakRssBytes() }
}

/** The same request for everyone; only Gesso looks at the key. */
function target(
  url: string,
  asked: { key: string; format: ResponseFormat } = { key: 'none', format: 'b64_json' },
): Target {
  return {
    url,
    headers: { authorization: `Bearer ${asked.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'gpt-image-2',
      prompt: 'three neon orange foxes in a misty forest at night',
      response_format: asked.format,
    }),
  }
}

/** Numbers about something else than whole pictures would be worse than none. */
async function checkAnswer(asked: Target, format: ResponseFormat, pictureBytes: number): Promise<void> {
  const response = await fetch(asked.url, { method: 'POST', headers: asked.headers, body: asked.body })
  const text = await response.text()
  if (!response.ok) throw new Error(`${asked.url} answered ${response.status}: ${text.slice(0, 2_000)}`)
  const picture = (JSON.parse(text) as { data: { b64_json?: string; url?: string }[] }).data[0]
  const bytes =
    format === 'url'
      ? Buffer.from(await (await fetch(picture?.url ?? '')).arrayBuffer())
      : Buffer.from(picture?.b64_json ?? '', 'base64')
  const added = bytes.length - pictureBytes
  if (added < 0 || added > mostMetadataBytes)
    throw new Error(`the picture has ${bytes.length} bytes, not ${pictureBytes} and some metadata`)
}

/** What a file may say of its origin beside its picture. */
const mostMetadataBytes = 4_096

/** Aborts at the first Ctrl-C or SIGTERM; what was started is then ended in order. */
function interrupted(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => controller.abort(new Error(`stopped by ${signal}`)))
  }
  return controller.signal
}

/** Progress goes to stderr; stdout holds the results alone. */
function tell(step: string): void {
  process.stderr.write(`${step} …\n`)
}

await main().catch((error: unknown) => {
  process.stderr.write(`The bench failed: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
