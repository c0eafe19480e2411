/** How Black Forest Labs says no, in the words of the core. */
import { z } from 'zod'
import type { VendorWords } from '../vendor-failure.ts'
import { wireComplaint, wireFailure } from './bfl-schema.ts'

/** The caller's words for fields of the wire. Input pictures have many names. */
const callersWords: ReadonlyMap<string, string> = new Map(
  Object.entries({
    prompt: 'prompt',
    width: 'size',
    height: 'size',
    aspect_ratio: 'aspect_ratio',
    seed: 'seed',
    guidance: 'guidance',
    steps: 'num_inference_steps',
    output_format: 'output_format',
    safety_tolerance: 'moderation',
    image_prompt_strength: 'strength',
    raw: 'style',
    mask: 'mask',
  }),
)

/** What the body of an answer says of a failure. */
export function failureWords(json: unknown): VendorWords {
  const body = wireFailure.safeParse(json).data ?? {}
  const complaints = z.array(wireComplaint).safeParse(body.detail).data ?? []
  const [first] = complaints
  const message = first
    ? complaints.map(({ loc, msg = '' }) => `${fieldOf(loc)}: ${msg}`).join('; ')
    : phrases([body.detail, body.error, body.message, body.details]).join(', ')
  return {
    message,
    code: first?.type,
    param: first && callersWord(fieldOf(first.loc)),
  }
}

/** The same for an error whose reason may be a refusal. Of troubles that pass, such words prove nothing. */
export function refusalWords(json: unknown): VendorWords {
  const words = failureWords(json)
  const isRefusal = /content_policy|\b(request|content) moderated\b/i.test(words.message ?? '')
  return isRefusal ? { ...words, kind: 'moderation' } : words
}

function fieldOf(loc: readonly (string | number)[]): string {
  return loc.filter((part) => part !== 'body').join('.')
}

function callersWord(field: string): string | undefined {
  return /^(input_image(_\d+)?|image|image_prompt)$/.test(field) ? 'image' : callersWords.get(field)
}

/** All texts in a value of unknown shape, down to three levels. */
function phrases(value: unknown, depth = 3): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value]
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value) || depth === 0) return []
  return Object.values(value).flatMap((one) => phrases(one, depth - 1))
}
