/** `gesso serve`: starts the server, prints the banner, and stops in order when told to. */
import { type App, openApp } from '../app.ts'
import { loadConfig } from '../config/load-config.ts'
import { adminKeyFile } from '../config/own-secrets.ts'
import { exitCode } from './exit-code.ts'
import { isAnnouncedByAnother } from './running-server.ts'
import { removeServerFile, writeServerFile } from './server-file.ts'

/**
 * Runs until SIGTERM, SIGINT or SIGHUP (its terminal was closed). A second SIGTERM or SIGINT stops at once; a
 * terminal closed on a stop under way does not cut it short.
 */
export async function serve(): Promise<void> {
  const stop = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => resolve())
  })
  const loaded = loadConfig(process.env, process.cwd())
  const app = await openApp(loaded)
  const dataDirectory = loaded.config.data_dir
  // Of several servers on one data directory and one DATABASE_URL any one will do for the command line.
  if (!(await isAnnouncedByAnother(dataDirectory))) {
    writeServerFile(dataDirectory, { url: app.address, pid: process.pid })
  }
  process.stdout.write(banner(app, adminKeyFile(dataDirectory)))

  await stop
  removeServerFile(dataDirectory, { url: app.address, pid: process.pid })
  process.stderr.write('Stopping: running generations finish first. Press Ctrl-C again to stop at once.\n')
  const again = () => process.exit(exitCode.interrupted)
  // Wrappers such as npm may deliver one Ctrl-C twice within a moment.
  setTimeout(() => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, again)
  }, 1_000).unref()
  await app[Symbol.asyncDispose]()
  process.exit(exitCode.ok)
}

function banner(app: App, keyFile: string): string {
  const { firstKey, models, publicUrl } = app
  const key = firstKey.created ? firstKey.key.reveal() : '$GESSO_API_KEY'
  return [
    '',
    `  Gesso is ready at ${publicUrl}`,
    '',
    ...(firstKey.created
      ? [`  Key       ${firstKey.key.reveal()}`, `            shown this once, and kept in ${keyFile}`]
      : [`  Key       as before; the first one is kept in ${keyFile}`]),
    `  Models    ${modelsText(models)}`,
    `  Database  ${app.database}`,
    `  Docs      ${publicUrl}/docs`,
    '',
    '  Make a picture:',
    '',
    `  curl ${publicUrl}/v1/images/generations -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" -d '{"model":"gesso-collage","prompt":"three neon orange foxes in a misty forest at night"}'`,
    '',
    '',
  ].join('\n')
}

/** As many ids as fit on a line or two; `gesso models` lists the others. */
const shownModels = 6

/** Exported for its test. */
export function modelsText({ available, unavailable }: App['models']): string {
  const shown = available.slice(0, available.length > shownModels + 1 ? shownModels : undefined)
  const rest = available.length - shown.length
  return [
    shown.join(', '),
    ...(rest > 0 ? [`${rest} more that \`gesso models\` lists`] : []),
    ...(unavailable > 0 ? [`${unavailable} more with a provider key`] : []),
  ].join(', and ')
}
