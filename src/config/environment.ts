/**
 * Which environment variable sets which setting. A variable beats the file, so that one image can be run in
 * many places. Provider keys keep the vendors' own names.
 */
import { providerDefinitions } from '../providers/registry.ts'

/** A path into `gesso.yaml`, such as `server.port`. */
export type SettingPath = readonly (string | number)[]

const ownVariables: Record<string, SettingPath> = {
  GESSO_HOST: ['server', 'host'],
  GESSO_PORT: ['server', 'port'],
  GESSO_PUBLIC_URL: ['server', 'public_url'],
  GESSO_DATA_DIR: ['data_dir'],
  GESSO_STORAGE: ['storage'],
  GESSO_SECRET: ['secret'],
  GESSO_SECRET_PREVIOUS: ['previous_secret'],
  GESSO_ADMIN_KEY: ['admin_key'],
  GESSO_URL_TTL: ['images', 'url_ttl_seconds'],
  GESSO_LOG_LEVEL: ['log', 'log_level'],
  GESSO_ALLOW_PRIVATE: ['network', 'allow_private'],
  GESSO_REQUESTS_PER_MINUTE: ['keys', 'requests_per_minute'],
  GESSO_BODY_LIMIT_BYTES: ['server', 'body_limit_bytes'],
  DATABASE_URL: ['database', 'url'],
}

/** Variables that start with GESSO_ but are no settings: the config file's place, and the command line's own. */
const otherVariables = new Set(['GESSO_CONFIG', 'GESSO_API_KEY', 'GESSO_URL'])

/** Every variable Gesso reads, with the setting it stands for. */
export function environmentVariables(): ReadonlyMap<string, SettingPath> {
  const variables = new Map<string, SettingPath>(Object.entries(ownVariables))
  for (const definition of providerDefinitions) {
    const { apiKey, baseUrl, options = {} } = definition.environment
    if (apiKey) variables.set(apiKey, ['providers', definition.id, 'api_key'])
    if (baseUrl) variables.set(baseUrl, ['providers', definition.id, 'base_url'])
    for (const [option, variable] of Object.entries(options)) {
      variables.set(variable, ['providers', definition.id, option])
    }
  }
  return variables
}

/** Variables that look like Gesso's but mean nothing to it: probably a slip of the pen. */
export function unknownVariables(env: NodeJS.ProcessEnv): string[] {
  const known = environmentVariables()
  return Object.keys(env).filter(
    (name) => name.startsWith('GESSO_') && !known.has(name) && !otherVariables.has(name),
  )
}
