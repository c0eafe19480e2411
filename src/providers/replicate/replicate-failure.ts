/**
 * Replicate's refusals in the words of the core: `{title, detail, status}` with an error status, free text in `error` of a
 * prediction that failed.
 */
import { excerpt } from '../excerpt.ts'
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
import { type WirePrediction, wireProblem } from './replicate-schema.ts'

/** The error of a call that begins something. */
export function submissionFailure(answer: ProviderHttpAnswer, names: ProviderNames): ProviderError {
  return vendorFailure(withRetryAfter(answer), names, wordsOf(answer))
}

/** The error of a question about a prediction, or of the wish to cancel it. */
export function questionFailure(answer: ProviderHttpAnswer, names: ProviderNames): ProviderError {
  return checkFailure(withRetryAfter(answer), names, wordsOf(answer))
}

/** The error of a prediction that ended without its pictures. */
export function predictionFailure(
  answer: ProviderHttpAnswer,
  names: ProviderNames,
  { status, error, input }: WirePrediction,
): ProviderError {
  const own = [input?.prompt ?? '', input?.negative_prompt ?? '']
  // A shorter prompt holds none of the words looked for, and taken out it would break them.
  const echoes = own.filter((words) => words.length > 3)
  const said = echoes.reduce((text, words) => text.replaceAll(words, ''), error ?? '')
  const kind: FailureKind = isModeration(said) ? 'moderation' : 'failed'
  // The answer repeats the whole input, so no more than this one text of it is ever quoted.
  const message = excerpt(error ?? `the prediction is ${status}, without a reason`, own)
  return workFailure(answer, names, { kind, message })
}

/** One picture of several was withheld. The models leave it out, and tell why in their logs only. */
export function withheldPicture(answer: ProviderHttpAnswer, names: ProviderNames): ProviderError {
  return workFailure(answer, names, { kind: 'moderation', message: 'it shows what may not be shown (NSFW)' })
}

/** The words of Replicate's own checker, of the FLUX models (`E005`) and of models that rely on others. */
function isModeration(error: string): boolean {
  return /\bnsfw\b|\bE005\b|flagged as|sensitive content|moderat(ed|ion)|content policy|safety (checker|filter|system)/i.test(
    error,
  )
}

function wordsOf({ json }: ProviderHttpAnswer): VendorWords {
  const { data } = wireProblem.safeParse(json)
  if (!data) return {}
  const field = data.invalid_fields?.[0]?.field
  return { message: data.detail ?? data.title, code: data.title, param: field && callersName(field) }
}

/** Inputs whose names differ from the callers' fields that they come from. */
const callersNames: Readonly<Record<string, string>> = {
  num_outputs: 'n',
  width: 'size',
  height: 'size',
  megapixels: 'image_size',
  resolution: 'image_size',
  guidance_scale: 'guidance',
  steps: 'num_inference_steps',
  prompt_strength: 'strength',
  image_prompt_strength: 'strength',
  output_quality: 'output_compression',
  safety_tolerance: 'moderation',
  lora: 'lora_weights',
  image_prompt: 'image',
  input_image: 'image',
  input_images: 'image',
  control_image: 'image',
  reference_images: 'image',
  images: 'image',
}

/** `input.num_outputs`, `input.images.0`. */
function callersName(field: string): string | undefined {
  const [, name] = /^input\.([a-z_]{1,40})(?:\.|$)/.exec(field) ?? []
  return name && Object.hasOwn(callersNames, name) ? callersNames[name] : name
}

/** The wait stands in the body: `retry_after`, or "Your rate limit resets in ~30s." */
function withRetryAfter(answer: ProviderHttpAnswer): ProviderHttpAnswer {
  const { data } = wireProblem.safeParse(answer.json)
  const [, inWords] = /\b(?:in|after) ~?(\d{1,5}) ?s(?:ec|\b)/i.exec(data?.detail ?? '') ?? []
  const seconds = data?.retry_after?.toString() ?? inWords
  if (answer.status !== 429 || seconds === undefined) return answer
  const get = (name: string) =>
    answer.headers.get(name) ?? (/^retry-after$/i.test(name) ? seconds : undefined)
  return { ...answer, headers: { get } }
}
