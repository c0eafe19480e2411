/** What the task will say beside its pictures: the values that were really used, usage, cost and warnings. */
import { storableText } from '../lib/storable-text.ts'
import type { Warning } from '../models/map-fields.ts'
import { sizeText } from '../models/size-rule.ts'
import type { ProviderCompleted, TokenUsage } from '../providers/provider.ts'
import type { TaskCost, TaskResult, TaskUsage } from '../tasks/task.ts'
import type { KeptPicture } from './store-pictures.ts'
import type { WorkNote } from './work-note.ts'

/** `notes` are about pictures that came, `missing` about pictures that failed. */
export function prepareResult(parts: {
  made: ProviderCompleted
  note: WorkNote
  stored: readonly KeptPicture[]
  cost: TaskCost
  notes: readonly Warning[]
  missing: readonly Warning[]
}): TaskResult {
  const { made, note, stored, missing } = parts
  const first = stored[0]
  if (!first) throw new Error('a result needs a picture')
  const failed = missing.filter((warning) => warning.param === 'n').length
  return {
    size: sizeText(first),
    quality: storableText(made.effective?.quality, 100) ?? note.asked.quality,
    background: storableText(made.effective?.background, 100) ?? note.asked.background,
    output_format: first.format,
    usage: usage(made.usage, stored.length),
    cost: parts.cost,
    bucket: note.bucket,
    prompt_optimization: note.optimization,
    warnings: storable([
      ...note.warnings,
      ...parts.notes,
      ...missing,
      // How many pictures a series has is the model's to say.
      ...(note.isSeries ? [] : fewerThanAsked(note.asked.n, stored.length + failed)),
    ]),
    upstream_request_id: storableText(made.upstreamRequestId, 200),
  }
}

/** Warnings repeat callers and providers; what they repeat must not keep the picture's row out of the database. */
function storable(warnings: readonly Warning[]): Warning[] {
  return warnings.map(({ param, code, message }) => ({
    param: storableText(param ?? undefined, 200) ?? null,
    code,
    message: storableText(message, 2_000) ?? code,
  }))
}

/** Pictures that the provider owed and said nothing about. */
function fewerThanAsked(asked: number, accountedFor: number): Warning[] {
  if (accountedFor >= asked) return []
  const count = asked - accountedFor
  return [
    {
      param: 'n',
      code: 'fewer_images',
      message: `The provider made ${count} ${count === 1 ? 'picture' : 'pictures'} fewer than the ${asked} asked for, without giving a reason.`,
    },
  ]
}

function usage(tokens: TokenUsage | undefined, generatedImages: number): TaskUsage {
  return {
    generated_images: generatedImages,
    input_tokens: count(tokens?.inputTokens),
    output_tokens: count(tokens?.outputTokens),
    total_tokens: count(tokens?.totalTokens),
    input_tokens_details: details(tokens?.inputTokensDetails),
    output_tokens_details: details(tokens?.outputTokensDetails),
  }
}

function details(tokens: { textTokens?: number; imageTokens?: number; cachedTokens?: number } | undefined) {
  return (
    tokens && {
      text_tokens: count(tokens.textTokens),
      image_tokens: count(tokens.imageTokens),
      cached_tokens: count(tokens.cachedTokens),
    }
  )
}

/** A number that can be one of tokens; anything else a provider reports is as good as nothing. */
function count(tokens: number | undefined): number | undefined {
  return Number.isSafeInteger(tokens) && Number(tokens) >= 0 ? tokens : undefined
}
