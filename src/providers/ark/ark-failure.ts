/**
 * Ark's errors in the words of the core. Codes as in Volcengine Ark's and BytePlus ModelArk's "Error codes", read
 * 2026-11-20; what a code leaves open, the status says.
 */
import type { ProviderHttpAnswer } from '../http.ts'
import type { ProviderError } from '../provider-error.ts'
import { type FailureKind, type VendorWords, vendorFailure, workFailure } from '../vendor-failure.ts'
import { names } from './ark-names.ts'
import { type WireError, wireReply } from './ark-schema.ts'

const kinds: readonly [RegExp, FailureKind][] = [
  // InputTextSensitiveContentDetected, OutputImageRiskDetection and their many relations.
  [/SensitiveContentDetected|RiskDetection/, 'moderation'],
  [/^AccountOverdueError$|^OperationDenied\.ServiceOverdue$/, 'unpaid'],
  [
    /^ModelNotOpen$|^OperationDenied\.ServiceNotOpen$|^InvalidEndpoint(OrModel)?\.|^UnsupportedModel$/,
    'unknown model',
  ],
]

/** The caller's name of the fields that Ark may find fault with. */
const callersNames: ReadonlyMap<string, string> = new Map([
  ['prompt', 'prompt'],
  ['image', 'image'],
  ['size', 'size'],
  ['output_format', 'output_format'],
  ['watermark', 'watermark'],
  ['sequential_image_generation', 'sequential_image_generation'],
  ['sequential_image_generation_options', 'sequential_image_generation'],
  ['optimize_prompt_options', 'go_fast'],
])

/** The error of an answer with a status of 400 or more. */
export function arkFailure(answer: ProviderHttpAnswer): ProviderError {
  const reply = wireReply.safeParse(answer.json)
  return vendorFailure(answer, names, words(answer, reply.data?.error))
}

/** The error inside an answer that began as a success: of one picture, or of all. */
export function arkWorkFailure(answer: ProviderHttpAnswer, error: WireError): ProviderError {
  return workFailure(answer, names, words(answer, error))
}

function words(answer: ProviderHttpAnswer, error: Partial<WireError> = {}): VendorWords {
  const { code = '', message = '', param = '' } = error
  const kind = kinds.find(([pattern]) => pattern.test(code))?.[1]
  const advice = 'it has to be activated in the Ark console before its first use.'
  return {
    kind,
    code,
    message: kind === 'unknown model' ? `${advice} ${answer.excerpt(message)}` : message,
    // `image[1]` and `sequential_image_generation_options.max_images` are about the field itself.
    param: callersNames.get(param.replace(/[.[].*$/s, '')),
  }
}
