/**
 * Prompts rewritten by a chat model of the operator's choice. One call, bounded in time, tokens and bytes; no
 * redirects. Whatever goes wrong, the caller learns it in a sentence of ours and the prompt stays as it was.
 */
import type { ProviderHttp } from '../providers/http.ts'
import { ProviderError } from '../providers/provider-error.ts'
import { readChatReply } from './chat-reply.ts'
import { rewriteBody } from './chat-request.ts'
import type { OptimizeOptions, PromptOptimizer } from './optimizer.ts'

export interface ChatOptimizerOptions {
  http: ProviderHttp
  /** Includes the version path, without a slash at its end. */
  baseUrl: string
  /** Without one no credentials are sent. */
  apiKey?: string
  model: string
  timeoutMs: number
}

const maxResponseBytes = 256 * 1024

/** An optimizer that asks `POST {baseUrl}/chat/completions`. */
export function createChatOptimizer(options: ChatOptimizerOptions): PromptOptimizer {
  const { http, baseUrl, apiKey, model, timeoutMs } = options

  const rewrite = async (prompt: string, { maxCharacters, isEdit, signal }: OptimizeOptions) => {
    const answer = await http.postJson({
      title: 'The chat model',
      url: `${baseUrl}/chat/completions`,
      headers: apiKey ? { authorization: `Bearer ${apiKey}` } : {},
      body: rewriteBody({ model, prompt, maxCharacters, isEdit }),
      timeoutMs,
      maxResponseBytes,
      signal,
      withhold: [prompt],
    })
    if (answer.status >= 400) return { reason: `answered with status ${answer.status}` }
    return readChatReply(answer.json, maxCharacters)
  }

  return {
    async optimize(prompt, asked) {
      const outcome = await rewrite(prompt, asked).catch((error: unknown) => ({
        reason: asked.signal.aborted ? 'was not waited for' : describe(error, timeoutMs),
      }))
      if ('text' in outcome) return { prompt: { original: prompt, optimized: outcome.text, model } }
      return { failure: `The prompt is used as it was sent: the chat model ${outcome.reason}.` }
    },
  }
}

/** Our own words for every error, because this one call makes no picture that could be lost. */
function describe(error: unknown, timeoutMs: number): string {
  switch (error instanceof ProviderError ? error.code : undefined) {
    case 'upstream_unavailable':
      return 'could not be reached'
    case 'outcome_unknown':
      return `gave no answer within ${timeoutMs} ms, or broke off`
    case 'upstream_invalid_response':
      return 'sent an answer that is too large or broken'
    case 'upstream_failed':
      return 'is not where the settings say: its base URL or key is wrong'
    default:
      return 'could not be asked'
  }
}
