/**
 * The optimiser that the settings ask for: a chat model where one is named, OpenAI's where its key is there, and
 * Gesso's own rules otherwise.
 */
import type { Secret } from '../lib/secret.ts'
import type { ProviderHttp } from '../providers/http.ts'
import { createChatOptimizer } from './chat-optimizer.ts'
import type { PromptOptimizer } from './optimizer.ts'
import { createRuleOptimizer } from './rule-optimizer.ts'
import type { OptimizerSettings } from './settings.ts'

const openAiBaseUrl = 'https://api.openai.com/v1'

/** Builds it. `openai` is the image provider's own access, which a chat model of OpenAI shares. */
export function openOptimizer(
  settings: OptimizerSettings,
  { http, openai }: { http: ProviderHttp; openai?: { api_key?: Secret; base_url?: string } },
): PromptOptimizer {
  const { model, timeout_ms: timeoutMs } = settings
  if (settings.base_url) {
    const apiKey = settings.api_key?.reveal()
    return createChatOptimizer({ http, baseUrl: settings.base_url, apiKey, model, timeoutMs })
  }
  const key = settings.api_key ?? openai?.api_key
  if (!key) return createRuleOptimizer()
  const baseUrl = openai?.base_url ?? openAiBaseUrl
  return createChatOptimizer({ http, baseUrl, apiKey: key.reveal(), model, timeoutMs })
}
