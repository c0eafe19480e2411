/** `gesso config check`: says what the configuration turns on, or everything that is wrong with it. */
import type { Command } from 'commander'
import { facts, writeJson, writeLines } from './output.ts'

/** Adds the command to `config`. */
export function addConfigCheck(config: Command, env: NodeJS.ProcessEnv): void {
  config
    .command('check')
    .description('Check the configuration without starting anything.')
    .option('--json', 'one JSON object')
    .action((options: { json?: boolean }) => checkConfig(options, env))
}

async function checkConfig(options: { json?: boolean }, env: NodeJS.ProcessEnv): Promise<void> {
  const { loadConfig } = await import('../config/load-config.ts')
  const { providerText, survey } = await import('./survey.ts')
  const { config, file, warnings } = loadConfig(env, process.cwd())
  const { providers, models } = survey(config)
  const { host, port, public_url: publicUrl } = config.server
  const database = config.database.url ? 'external' : 'embedded'

  if (options.json) {
    return writeJson({
      ok: true,
      file: file ?? null,
      data_dir: config.data_dir,
      server: { host, port, public_url: publicUrl ?? null },
      database,
      providers: providers.map(({ id, on, variable }) => ({ id, on, variable: variable ?? null })),
      models,
      warnings,
    })
  }
  writeLines([
    'The configuration is good.',
    ...facts([
      ['file', file ?? 'none; defaults and the environment'],
      ['data', config.data_dir],
      [
        'address',
        `${host} port ${port === 0 ? 'any free one' : port}${publicUrl ? `, in public ${publicUrl}` : ''}`,
      ],
      [
        'database',
        database === 'external' ? 'the PostgreSQL of DATABASE_URL' : 'own PostgreSQL in the data directory',
      ],
      ...providers.map((provider): [string, string] => ['provider', providerText(provider)]),
      ['models', `${models.available} of ${models.total} available`],
      ...warnings.map((warning): [string, string] => ['warning', warning]),
    ]),
  ])
}
