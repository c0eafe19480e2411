/** All checks of `gesso doctor`, in the order in which one thing needs another. */
import { ConfigError } from '../../config/config-error.ts'
import { type LoadedConfig, loadConfig } from '../../config/load-config.ts'
import { providerText, survey } from '../survey.ts'
import { checkDatabase } from './check-database.ts'
import { checkFiles } from './check-files.ts'
import { checkServer } from './check-server.ts'
import { type Finding, fail, pass, warn } from './finding.ts'

const neededNode = 24

/** Runs them all. Without a good configuration there is nothing further to look at. */
export async function examine(env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const node = checkNode()
  let loaded: LoadedConfig
  try {
    loaded = loadConfig(env, process.cwd())
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return [node, fail('configuration', error.message)]
  }
  const { config, file, warnings } = loaded
  return [
    node,
    warnings.length > 0
      ? warn('configuration', warnings.join('; '))
      : pass('configuration', file ?? 'no file; defaults and the environment'),
    ...(await checkFiles(config)),
    ...(await checkDatabase(config)),
    checkProviders(loaded),
    await checkServer(config),
    checkPrivateAddresses(loaded),
  ]
}

function checkNode(): Finding {
  const major = Number(process.versions.node.split('.')[0])
  const message = `Node ${process.versions.node}`
  return major >= neededNode
    ? pass('node', message)
    : fail('node', `${message}; ${neededNode} or newer is needed`)
}

/** In words only: asking a provider might cost money. */
function checkProviders({ config }: LoadedConfig): Finding {
  const { providers, models } = survey(config)
  const message = `${providers.map(providerText).join('; ')}; ${models.available} of ${models.total} models available`
  return providers.some((provider) => provider.on && provider.variable)
    ? pass('providers', message)
    : warn('providers', message)
}

function checkPrivateAddresses({ config, sourceOf }: LoadedConfig): Finding {
  const ranges = config.network.allow_private
  if (ranges.length === 0) return pass('network', 'foreign URLs may not reach private addresses')
  const source = sourceOf(['network', 'allow_private'])
  return warn('network', `foreign URLs may reach the private addresses ${ranges.join(', ')} (${source})`)
}
