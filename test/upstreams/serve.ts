/**
 * `npm run upstreams`: every fake vendor at once, on 127.0.0.1, with the patience of real ones. Prints the variables with
 * which `npm start` draws there instead of at the vendors, for free and without the internet. Ends on SIGINT and SIGTERM,
 * and by itself after eight hours. `--port` moves the first of the ports, 0 takes any free ones.
 */
import { parseArgs } from 'node:util'
import { fakeArkKey, startFakeArk } from './ark.ts'
import { fakeAzureKey, startFakeAzure } from './azure.ts'
import { fakeBflKey, startFakeBfl } from './bfl.ts'
import { fakeDashScopeKey, startFakeDashScope } from './dashscope.ts'
import type { FakeUpstream, FakeUpstreamOptions } from './fake-upstream.ts'
import { fakeFalKey, startFakeFal } from './fal.ts'
import { fakeGeminiKey, startFakeGemini } from './gemini.ts'
import { fakeOpenAiKey, startFakeOpenAi } from './openai.ts'
import { fakeReplicateKey, startFakeReplicate } from './replicate.ts'

const firstPort = 4201
const longestMs = 8 * 60 * 60 * 1000

interface Vendor {
  /** How far its port is from the first one; stays what it is when others come or go. */
  offset: number
  /** The variables that hold the key and the address, and the key that the fake takes. */
  variables: { key: string; url: string }
  key: string
  start(options: FakeUpstreamOptions & { jobMs?: number }): Promise<FakeUpstream>
  /** Takes work on at once and finishes it later. */
  hasJobs: boolean
}

const vendors: readonly Vendor[] = [
  {
    offset: 0,
    variables: { key: 'OPENAI_API_KEY', url: 'OPENAI_BASE_URL' },
    key: fakeOpenAiKey,
    start: startFakeOpenAi,
    hasJobs: false,
  },
  {
    offset: 1,
    variables: { key: 'AZURE_OPENAI_API_KEY', url: 'AZURE_OPENAI_ENDPOINT' },
    key: fakeAzureKey,
    start: startFakeAzure,
    hasJobs: false,
  },
  {
    offset: 2,
    variables: { key: 'REPLICATE_API_TOKEN', url: 'REPLICATE_BASE_URL' },
    key: fakeReplicateKey,
    start: startFakeReplicate,
    hasJobs: true,
  },
  {
    offset: 3,
    variables: { key: 'BFL_API_KEY', url: 'BFL_BASE_URL' },
    key: fakeBflKey,
    start: startFakeBfl,
    hasJobs: true,
  },
  {
    offset: 4,
    variables: { key: 'DASHSCOPE_API_KEY', url: 'DASHSCOPE_BASE_URL' },
    key: fakeDashScopeKey,
    start: startFakeDashScope,
    hasJobs: true,
  },
  {
    offset: 5,
    variables: { key: 'ARK_API_KEY', url: 'ARK_BASE_URL' },
    key: fakeArkKey,
    start: startFakeArk,
    hasJobs: false,
  },
  {
    offset: 6,
    variables: { key: 'GEMINI_API_KEY', url: 'GEMINI_BASE_URL' },
    key: fakeGeminiKey,
    start: startFakeGemini,
    hasJobs: false,
  },
  {
    offset: 7,
    variables: { key: 'FAL_KEY', url: 'FAL_BASE_URL' },
    key: fakeFalKey,
    start: startFakeFal,
    hasJobs: true,
  },
]

async function serve(port: number): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const fakes: FakeUpstream[] = []
  const lines: string[] = []
  for (const { offset, variables, key, start, hasJobs } of vendors) {
    const patience = hasJobs ? { latencyMs: 200, jobMs: 3_000 } : { latencyMs: 3_000 }
    const fake = stack.use(await start({ ...patience, port: port === 0 ? 0 : port + offset }))
    fakes.push(fake)
    lines.push(`export ${variables.key}='${key}' ${variables.url}='${fake.url}'`)
  }
  const ended = endOf(longestMs)
  process.stdout.write(
    `# Paste these before \`npm start\`; Ctrl+C ends the fakes.\n${lines.join('\n')}\n# Ready.\n`,
  )
  // What a test would look into is only ballast here.
  const sweeping = setInterval(() => {
    for (const fake of fakes) fake.requests.length = 0
  }, 60_000)
  stack.defer(() => clearInterval(sweeping))
  await ended
}

/** Waits for a signal to end, for so long. */
function endOf(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds)
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        clearTimeout(timer)
        resolve()
      })
    }
  })
}

function readPort(): number {
  const { values } = parseArgs({ options: { port: { type: 'string', default: String(firstPort) } } })
  const port = Number(values.port)
  if (/^\d+$/.test(values.port) && port <= 65_000) return port
  throw new Error(`--port ${values.port} is no port.`)
}

/** What a developer can do about it, in one line. */
function advice(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const isTaken = 'code' in error && error.code === 'EADDRINUSE'
  return isTaken
    ? `${error.message}. Choose other ports with --port, or any free ones with --port 0.`
    : error.message
}

try {
  await serve(readPort())
} catch (error) {
  process.stderr.write(`${advice(error)}\n`)
  // Not by itself: a fake that could not begin leaves half of itself behind.
  process.exit(1)
}
