/** `gesso migrate`: brings the tables up to date, as every start does too. */
import type { Command } from 'commander'
import { createTalk, writeJson, writeLines } from './output.ts'

/** Adds the command. */
export function addMigrate(program: Command, env: NodeJS.ProcessEnv): void {
  program
    .command('migrate')
    .description('Bring the database up to date (a start does so by itself).')
    .option('--json', '{"database", "migrations": [names that ran]}')
    .action(async (options: { json?: boolean }) => {
      const { openToolDatabase } = await import('./open-tool-database.ts')
      const talk = createTalk(options)
      await using database = await openToolDatabase(env, talk)
      const { migrated, description } = database
      if (options.json) return writeJson({ database: description, migrations: migrated })
      writeLines(migrated)
      talk.say(
        migrated.length === 0
          ? `Nothing to do, the tables are up to date (${description}).`
          : `The tables are up to date now (${description}).`,
      )
    })
}
