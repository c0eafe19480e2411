/**
 * The server a command works against: the one that is named, else the one that runs, else one of its own in this
 * process for as long as the command takes.
 */
import { type LoadedConfig, loadConfig } from '../config/load-config.ts'
import { adminKeyFile, readIfThere } from '../config/own-secrets.ts'
import type { ApiAddress } from './api.ts'
import { exitCode } from './exit-code.ts'
import { CommandFailure, usageFailure } from './failure.ts'
import { interrupted, listenForInterrupt } from './interrupt.ts'
import type { Talk } from './output.ts'
import { findRunningServer } from './running-server.ts'

export interface Connection extends ApiAddress, AsyncDisposable {
  /** Does the server live in this process, and end with it? */
  embedded: boolean
}

export interface ConnectOptions {
  /** `--url` */
  url?: string
  env: NodeJS.ProcessEnv
  talk: Talk
}

/** Finds or starts the server. Disposal ends one that was started. */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const { env, talk } = options
  const named = options.url ?? (env.GESSO_URL || undefined)
  if (named !== undefined) {
    const url = baseUrl(named)
    return elsewhere({ url, ...keyFor(url, env) })
  }
  const loaded = loadConfig(env, process.cwd())
  const running = await findRunningServer(loaded.config)
  if (running !== undefined) return elsewhere({ url: running, ...ownKey(loaded, env) })

  talk.say('No server runs here; starting one for this call.')
  return startEmbedded(loaded, env)
}

function elsewhere(address: ApiAddress): Connection {
  return { ...address, embedded: false, async [Symbol.asyncDispose]() {} }
}

/** From here to the disposal Ctrl-C ends nothing by itself: PostgreSQL is to be stopped in order. */
async function startEmbedded(loaded: LoadedConfig, env: NodeJS.ProcessEnv): Promise<Connection> {
  await using stack = new AsyncDisposableStack()
  const interrupt = stack.use(listenForInterrupt())
  // Warnings for Gesso's own developers must not mix with what the command says.
  process.noDeprecation = true
  const { openApp } = await import('../app.ts')
  const { config } = loaded
  const forThisCall = {
    ...config,
    server: { ...config.server, host: '127.0.0.1', port: 0 },
    log: { ...config.log, log_level: 'silent' as const },
  }
  const app = stack.use(await openApp({ ...loaded, config: forThisCall }, { role: 'tool' }))
  if (interrupt.signal.aborted) throw interrupted('Interrupted before anything was asked for.')
  const own = env.GESSO_API_KEY
    ? { key: env.GESSO_API_KEY, keySource: 'GESSO_API_KEY' }
    : { key: app.firstKey.key.reveal(), keySource: 'the first key' }
  const owned = stack.move()
  return { url: app.address, ...own, embedded: true, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

type Key = Pick<ApiAddress, 'key' | 'keySource'>

/** The key for a named server. This install's admin key never leaves the machine except for its own public address. */
function keyFor(url: string, env: NodeJS.ProcessEnv): Key {
  if (env.GESSO_API_KEY) return { key: env.GESSO_API_KEY, keySource: 'GESSO_API_KEY' }
  const loaded = loadConfig(env, process.cwd())
  const isOwn = isLoopback(new URL(url).hostname) || url === loaded.config.server.public_url
  if (isOwn) return ownKey(loaded, env)
  throw noKey(`Set GESSO_API_KEY to a key of ${url}.`)
}

function ownKey({ config, sourceOf }: LoadedConfig, env: NodeJS.ProcessEnv): Key {
  if (env.GESSO_API_KEY) return { key: env.GESSO_API_KEY, keySource: 'GESSO_API_KEY' }
  if (config.admin_key) return { key: config.admin_key.reveal(), keySource: sourceOf(['admin_key']) }
  const keySource = adminKeyFile(config.data_dir)
  const key = readIfThere(keySource)
  if (key) return { key, keySource }
  throw noKey(`Set GESSO_API_KEY to a key of the server that runs: there is none in ${keySource}.`)
}

function noKey(message: string): CommandFailure {
  return new CommandFailure({
    exitCode: exitCode.notAllowed,
    type: 'authentication_error',
    code: 'missing_api_key',
    message,
  })
}

/** The address without a trailing slash; one that was copied from an OpenAI client ends in `/v1`. */
function baseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) {
    throw usageFailure(
      '--url',
      `The server's address is an http or https URL such as http://127.0.0.1:4100, not ${text}.`,
    )
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '').replace(/\/v1$/, '')
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}
