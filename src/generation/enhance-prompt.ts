/** Has the prompt rewritten where the caller asked for it. A rewrite that fails costs nothing but a warning. */
import type { Warning } from '../models/map-fields.ts'
import type { ServedModel } from '../models/model.ts'
import type { OptimizedPrompt, PromptOptimizer } from '../prompts/optimizer.ts'
import type { TaskMode } from '../tasks/task.ts'
import type { GenerationRequest } from './request.ts'

export interface EnhanceDependencies {
  optimizer: PromptOptimizer
}

/** The words that are drawn, and how they came about. */
export interface WordedPrompt {
  prompt: string
  optimization?: OptimizedPrompt
  warnings: Warning[]
}

/** The caller's own prompt, or the rewritten one. Never throws. */
export async function enhancePrompt(
  { optimizer }: EnhanceDependencies,
  { request, model, mode }: { request: GenerationRequest; model: ServedModel; mode: TaskMode },
  signal: AbortSignal,
): Promise<WordedPrompt> {
  if (!request.enhancedBy) return { prompt: request.prompt, warnings: [] }
  const rewritten = await optimizer.optimize(request.prompt, {
    maxCharacters: model.promptCharacters,
    isEdit: mode === 'edit',
    signal,
  })
  if ('prompt' in rewritten) {
    return { prompt: rewritten.prompt.optimized, optimization: rewritten.prompt, warnings: [] }
  }
  return {
    prompt: request.prompt,
    warnings: [{ param: request.enhancedBy, code: 'not_optimized', message: rewritten.failure }],
  }
}
