/** `gesso models`: what the server can draw with. */
import type { Command } from 'commander'
import { createTalk, table, writeJson, writeLines } from './output.ts'

interface ModelsOptions {
  url?: string
  json?: boolean
}

/** Adds the command. */
export function addModels(program: Command, env: NodeJS.ProcessEnv): void {
  program
    .command('models')
    .description('List the models of the server.')
    .option(
      '--url <url>',
      'the server to use (default: GESSO_URL, else the one that runs, else one for this call)',
    )
    .option('--json', 'the answer of GET /v1/models')
    .action((options: ModelsOptions) => listModels(options, env))
}

async function listModels(options: ModelsOptions, env: NodeJS.ProcessEnv): Promise<void> {
  const { z } = await import('zod')
  const { connect } = await import('./connect.ts')
  const { callApi } = await import('./api.ts')
  const talk = createTalk(options)
  await using server = await connect({ url: options.url, env, talk })
  const model = z.looseObject({
    id: z.string(),
    owned_by: z.string(),
    available: z.boolean(),
    parameters: z.record(z.string(), z.record(z.string(), z.unknown())),
    limits: z.looseObject({ n: z.int() }),
  })
  const { value, json } = await callApi(server, {
    path: '/v1/models',
    answer: z.looseObject({ data: z.array(model) }),
  })
  if (options.json) return writeJson(json)

  const rows = value.data.map((one) => [
    one.id,
    one.available ? 'yes' : 'no',
    one.owned_by,
    String(one.limits.n),
    sizesText(one.parameters),
  ])
  writeLines(table(['MODEL', 'AVAILABLE', 'BY', 'MAX N', 'SIZES'], rows))
  if (value.data.some((one) => !one.available)) {
    talk.say(
      'Models that are not available wait for a provider key; `gesso config check` names its variable.',
    )
  }
}

type Rules = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** A few of many: a table's cell is one line. */
const shownWords = 6

/** What `size` may be, or `aspect_ratio` where the model goes by ratios. Exported for its test. */
export function sizesText({ size = {}, aspect_ratio: ratio = {} }: Rules): string {
  const ratios = ratio.support === 'unsupported' ? [] : wordsOf(ratio.enum)
  if (size.support === 'unsupported') {
    return ratios.length > 0 ? `by aspect_ratio: ${someOf(ratios)}` : 'chosen by the model'
  }
  if (Array.isArray(size.enum)) return someOf(wordsOf(size.enum))
  if (typeof size.max_edge !== 'number') return 'any'
  const smallest = typeof size.min_edge === 'number' ? `${size.min_edge} to ` : 'up to '
  const steps =
    typeof size.multiple_of === 'number' && size.multiple_of > 1 ? ` in steps of ${size.multiple_of}` : ''
  return `${smallest}${size.max_edge} px a side${steps}${areaText(size)}`
}

function areaText({ min_pixels: least, max_pixels: most }: Rules[string]): string {
  const megapixels = (pixels: number) => (pixels / 1_000_000).toFixed(1)
  if (typeof most !== 'number') return typeof least === 'number' ? `, ${megapixels(least)} MP or more` : ''
  return `, ${typeof least === 'number' ? `${megapixels(least)} to` : 'up to'} ${megapixels(most)} MP`
}

function wordsOf(list: unknown): string[] {
  return Array.isArray(list) ? list.map(String).filter((word) => word !== 'auto') : []
}

function someOf(words: readonly string[]): string {
  if (words.length <= shownWords) return words.join(', ')
  return `${words.slice(0, shownWords).join(', ')} and ${words.length - shownWords} more`
}
