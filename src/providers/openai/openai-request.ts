/**
 * A `ProviderRequest` in the words of `POST /images/generations`. A dialect names the wire field of everything
 * it can say; what it cannot say is refused, so that a new field of the seam is never lost on the way.
 */
import type { ProviderRequest } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'

/** Fields of a request that some dialect may be unable to express. */
type Field = Exclude<keyof ProviderRequest, 'taskId' | 'model' | 'prompt' | 'n' | 'size' | 'dialect'>

interface Dialect {
  /** Sent with every call. */
  fixed: Record<string, string>
  /** What stands for "the provider chooses"; absent means that the field stays away. */
  autoSize?: string
  /** The wire name of each field, `null` where the dialect has none. */
  fields: Record<Field, string | null>
}

/** Callers' spelling of every field, for the error that refuses it. */
const callersNames: Record<Field, string> = {
  quality: 'quality',
  style: 'style',
  background: 'background',
  moderation: 'moderation',
  outputFormat: 'output_format',
  outputCompression: 'output_compression',
  seed: 'seed',
  negativePrompt: 'negative_prompt',
  safetyIdentifier: 'safety_identifier',
  images: 'image',
  mask: 'mask',
}

const dialects: Record<string, Dialect> = {
  // GPT Image answers `response_format` with a 400 and always returns base64.
  'gpt-image': {
    fixed: {},
    autoSize: 'auto',
    fields: { ...callersNames, style: null, seed: null, negativePrompt: null, images: null, mask: null },
  },
  // Servers of this kind know `user`, OpenAI's older name of `safety_identifier`.
  'openai-compatible': {
    fixed: { response_format: 'b64_json' },
    fields: { ...callersNames, safetyIdentifier: 'user', images: null, mask: null },
  },
}

/** The JSON body of a generation. Throws `ProviderError` `unsupported_parameter` for what cannot be said. */
export function generationBody(request: ProviderRequest, title: string): Record<string, unknown> {
  const { taskId: _, model, prompt, n, size, dialect: dialectName, ...optional } = request
  const dialect = dialects[dialectName ?? guessDialect(model)]
  if (!dialect) throw unknownDialect(dialectName, title)
  const body: Record<string, unknown> = { model, prompt, n, ...dialect.fixed }
  if (size) body.size = `${size.width}x${size.height}`
  else if (dialect.autoSize) body.size = dialect.autoSize
  for (const [field, value] of Object.entries(optional)) {
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue
    const wireName = dialect.fields[field as Field]
    if (!wireName) throw unsupported(field, `${title} cannot do this with ${model}`)
    body[wireName] = value
  }
  if (dialect.autoSize && request.outputFormat === 'avif') {
    throw unsupported('outputFormat', `${title} makes png, jpeg and webp, not avif`)
  }
  return body
}

function guessDialect(model: string): string {
  return /^(chatgpt|gpt)-image/.test(model) ? 'gpt-image' : 'openai-compatible'
}

function unsupported(field: string, reason: string): ProviderError {
  const param = callersNames[field as Field] ?? field
  return new ProviderError({
    code: 'unsupported_parameter',
    attribution: 'client',
    message: `${param} is not supported here: ${reason}.`,
    param,
    dispatched: 'no',
  })
}

function unknownDialect(name: string | undefined, title: string): ProviderError {
  return new ProviderError({
    code: 'internal_error',
    attribution: 'platform',
    message: `${title} has no dialect "${name}"; there are ${Object.keys(dialects).join(' and ')}.`,
    dispatched: 'no',
  })
}
