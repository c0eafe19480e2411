/** `gesso tasks get`: a generation again, by its id. */
import type { Command } from 'commander'
import { costText } from './generate/cost-text.ts'
import { createTalk, facts, writeJson, writeLines } from './output.ts'

interface TasksGetOptions {
  url?: string
  json?: boolean
}

/** Adds the command to `tasks`. */
export function addTasksGet(tasks: Command, env: NodeJS.ProcessEnv): void {
  tasks
    .command('get')
    .description('Show a generation and fresh links to its pictures.')
    .argument('<id>', 'the task id that `gesso generate` printed')
    .option(
      '--url <url>',
      'the server to use (default: GESSO_URL, else the one that runs, else one for this call)',
    )
    .option('--json', 'the answer of GET /v1/images/generations/{id}')
    .action((id: string, options: TasksGetOptions) => getTask(id, options, env))
}

async function getTask(id: string, options: TasksGetOptions, env: NodeJS.ProcessEnv): Promise<void> {
  const { z } = await import('zod')
  const { connect } = await import('./connect.ts')
  const { callApi } = await import('./api.ts')
  const taskSchema = z.looseObject({
    id: z.string(),
    status: z.string(),
    created_at: z.int(),
    model: z.string(),
    prompt: z.string(),
    size: z.string().optional(),
    result: z
      .looseObject({
        data: z.array(z.looseObject({ url: z.string() })),
        cost: z.looseObject({ micros: z.int().nullable(), source: z.string() }),
      })
      .optional(),
    error: z.looseObject({ message: z.string(), code: z.string() }).optional(),
  })
  await using server = await connect({ url: options.url, env, talk: createTalk(options) })
  const path = `/v1/images/generations/${encodeURIComponent(id)}`
  const { value: task, json } = await callApi(server, { path, answer: taskSchema })
  if (options.json) return writeJson(json)
  const about = facts([
    ['id', task.id],
    ['status', task.status],
    ['created', new Date(task.created_at * 1_000).toISOString()],
    ['model', task.model],
    ['prompt', task.prompt],
    ['size', task.size],
    ['cost', task.result && costText(task.result.cost)],
    ['error', task.error && `${task.error.message} (${task.error.code})`],
    ...(task.result?.data ?? []).map((image): [string, string] => ['picture', image.url]),
  ])
  writeLines(about)
}
