/**
 * fal's errors in the words of the core. From https://fal.ai/docs/documentation/model-apis/errors (what a model says)
 * and …/request-errors (what the platform says), read 2026-11-20.
 */
import type { ProviderHttpAnswer } from '../http.ts'
import { ProviderError } from '../provider-error.ts'
import {
  checkFailure,
  type FailureKind,
  type ProviderNames,
  type VendorWords,
  vendorFailure,
  workFailure,
} from '../vendor-failure.ts'
import { wireError } from './fal-schema.ts'

/** The callers' names of fal's fields. */
const callersWords: Readonly<Record<string, string>> = {
  prompt: 'prompt',
  negative_prompt: 'negative_prompt',
  num_images: 'n',
  image_size: 'size',
  aspect_ratio: 'aspect_ratio',
  seed: 'seed',
  guidance_scale: 'guidance',
  num_inference_steps: 'num_inference_steps',
  strength: 'strength',
  image_prompt_strength: 'strength',
  acceleration: 'go_fast',
  enable_safety_checker: 'disable_safety_checker',
  safety_tolerance: 'moderation',
  output_format: 'output_format',
  loras: 'lora_weights',
  image_url: 'image',
  image_urls: 'image',
  mask_url: 'mask',
}

/** The error of a submission that fal did not take. */
export function submissionFailure(answer: ProviderHttpAnswer, names: ProviderNames): ProviderError {
  return vendorFailure(answer, names, wordsOf(answer))
}

/** The error of a question about accepted work, or of asking for it to stop. */
export function questionFailure(answer: ProviderHttpAnswer, names: ProviderNames): ProviderError {
  const { kind: _, ...words } = wordsOf(answer)
  return checkFailure(answer, names, words)
}

/**
 * The error that stands where the result should be. fal passes the model's own status on, so a 503 may be the work's or
 * the asking's: it is the work's where it says what failed, or where `isFailed` is already known.
 */
export function resultFailure(
  answer: ProviderHttpAnswer,
  names: ProviderNames,
  isFailed: boolean,
): ProviderError {
  const words = wordsOf(answer)
  const isInput = answer.status === 400 || answer.status === 422
  const saysWhat = words.code !== undefined || words.kind !== undefined
  if (!isFailed && answer.status === 400 && /still in progress/i.test(words.message)) {
    return untoldResult(answer, names)
  }
  // No model fails like this: the key, the account or the pace of the asking is meant, and the result may be there.
  const isAsking = [401, 402, 403, 408, 429].includes(answer.status) && words.kind !== 'moderation'
  if (!isFailed && (isAsking || (!isInput && !saysWhat))) return questionFailure(answer, names)
  return workFailure(answer, names, { ...words, kind: words.kind ?? (isInput ? 'request' : 'failed') })
}

/**
 * An answer that is neither a result nor a failure, such as a page of something between here and fal: the result waits
 * to be asked for again.
 */
export function untoldResult({ status }: ProviderHttpAnswer, { title }: ProviderNames): ProviderError {
  return new ProviderError({
    code: 'upstream_unavailable',
    attribution: 'upstream',
    message: `${title} does not tell the result of the work.`,
    // Not quoted: a result repeats the prompt.
    detail: `status ${status} without a result`,
    retryable: true,
    dispatched: 'yes',
  })
}

function wordsOf(answer: ProviderHttpAnswer): VendorWords & { message: string } {
  const parsed = wireError.safeParse(answer.json)
  const { detail, error_type: type } = parsed.success ? parsed.data : {}
  const details = Array.isArray(detail) ? detail : []
  const sentence = Array.isArray(detail) ? details.map(({ msg }) => msg).join(' ') : detail
  const code = details.find((one) => one.type)?.type ?? type ?? answer.headers.get('x-fal-error-type')
  const field = details.flatMap(({ loc }) => loc).find((part) => Object.hasOwn(callersWords, part))
  return {
    code,
    // Never empty: the body itself, which would be quoted instead, repeats the request.
    message: sentence || 'no message',
    kind: kindOf(answer.status, [code, ...details.map((one) => one.type)].join(' '), sentence ?? ''),
    param: field === undefined ? undefined : callersWords[field],
  }
}

function kindOf(status: number, types: string, sentence: string): FailureKind | undefined {
  if (/content_policy|moderation|nsfw/i.test(types)) return 'moderation'
  // Models that do not follow the list of types yet say it in a sentence.
  if (status === 422 && /content (policy|checker)|nsfw|safety (checker|system|filter)/i.test(sentence)) {
    return 'moderation'
  }
  // "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing."
  if ((status === 402 || status === 403) && /balance|locked|billing|credit/i.test(sentence)) return 'unpaid'
  // A 400 whose reason is a service behind the model.
  return /downstream_service/.test(types) ? 'failed' : undefined
}
