/**
 * fal's errors in the words of the core. From https://fal.ai/docs/documentation/model-apis/errors (what a model says)
 * and …/request-errors (what the platform says), read 2026-11-20.
 */
import type { ProviderHttpAnswer } from '../http.ts'
import type { ProviderError } from '../provider-error.ts'
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
  if (!isFailed && !isInput && !saysWhat) return questionFailure(answer, names)
  return workFailure(answer, names, { ...words, kind: words.kind ?? (isInput ? 'request' : 'failed') })
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
