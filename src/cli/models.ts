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
    sizesText(one.parameters.size),
  ])
  writeLines(table(['MODEL', 'AVAILABLE', 'BY', 'MAX N', 'SIZES'], rows))
  if (value.data.some((one) => !one.available)) {
    talk.say(
      'Models that are not available wait for a provider key; `gesso config check` names its variable.',
    )
  }
}

function sizesText(rule: Record<string, unknown> | undefined): string {
  if (!rule || rule.support === 'unsupported') return 'chosen by the model'
  if (Array.isArray(rule.enum)) return rule.enum.filter((size) => size !== 'auto').join(', ')
  if (typeof rule.max_edge !== 'number') return 'any'
  const smallest = typeof rule.min_edge === 'number' ? `${rule.min_edge} to ` : 'up to '
  const steps =
    typeof rule.multiple_of === 'number' && rule.multiple_of > 1 ? ` in steps of ${rule.multiple_of}` : ''
  return `${smallest}${rule.max_edge} px a side${steps}`
}
