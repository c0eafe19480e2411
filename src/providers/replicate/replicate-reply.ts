/** A prediction, turned into what the core understands. */
import type { ProviderHttpAnswer } from '../http.ts'
import type { ImageFailure, ProviderCompleted, ProviderImage, ProviderOutcome } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { noPicture, type ProviderNames } from '../vendor-failure.ts'
import { predictionFailure, withheldPicture } from './replicate-failure.ts'
import { type WirePrediction, wirePrediction } from './replicate-schema.ts'

interface Asked {
  names: ProviderNames
  /** How many pictures are owed. */
  n: number
  /** May result URLs be private? */
  trusted: boolean
}

/** Throws `ProviderError` for a prediction that failed, was stopped, or ended without a picture. */
export function readCreated(answer: ProviderHttpAnswer, asked: Asked): ProviderOutcome {
  const { data } = wirePrediction.safeParse(answer.json)
  if (data) return readPrediction(answer, data, asked)
  throw noPicture(asked.names.title, 'sent an answer that is not a prediction', answer.excerpt())
}

/** The same for an answer to a question: what is no prediction tells nothing of it, and it may go on. */
export function readChecked(answer: ProviderHttpAnswer, asked: Asked): ProviderOutcome {
  const { data } = wirePrediction.safeParse(answer.json)
  if (data) return readPrediction(answer, data, asked)
  throw new ProviderError({
    code: 'upstream_unavailable',
    attribution: 'upstream',
    message: `${asked.names.title} does not tell how the work is going.`,
    detail: `status ${answer.status} without a prediction`,
    retryable: true,
    dispatched: 'yes',
  })
}

function readPrediction(answer: ProviderHttpAnswer, data: WirePrediction, asked: Asked): ProviderOutcome {
  const { names } = asked
  switch (data.status) {
    case 'succeeded':
      return completed(answer, data, asked)
    case 'failed':
    case 'canceled':
    case 'aborted':
      // What it made before it failed or was stopped is paid for.
      if (picturesOf(data, asked).length > 0) return completed(answer, data, asked)
      throw predictionFailure(answer, names, data)
    default:
      return {
        status: 'pending',
        operation: { id: data.id, n: asked.n },
        checkAfterMs: pauseAfter(data.created_at),
        ...progressOf(data.logs),
      }
  }
}

function completed(answer: ProviderHttpAnswer, prediction: WirePrediction, asked: Asked): ProviderCompleted {
  const { names, n } = asked
  const images = picturesOf(prediction, asked).slice(0, n)
  const failures = missing(answer, prediction, { names, count: n - images.length })
  if (images.length === 0) throw failures[0]?.error ?? leftOut(prediction, names)
  const only = images.length === 1 && n === 1 ? images[0] : undefined
  const seed = seedOf(prediction)
  return {
    status: 'completed',
    // Several pictures of one prediction share a seed, so it is the seed of none of them alone.
    images: only && seed !== undefined ? [{ ...only, seed }] : images,
    ...(failures.length > 0 ? { failures } : undefined),
    ...secondsOf(prediction),
    upstreamRequestId: prediction.id,
  }
}

/** Waiting for a machine is not in it. */
function secondsOf({ metrics }: WirePrediction): { seconds?: number } {
  return metrics?.predict_time === undefined ? {} : { seconds: metrics.predict_time }
}

function picturesOf({ output = [] }: WirePrediction, { trusted }: Asked): ProviderImage[] {
  return output.flatMap((one): ProviderImage[] => {
    if (one === null) return []
    if (Buffer.isBuffer(one)) return one.length > 0 ? [{ source: { kind: 'bytes', bytes: one } }] : []
    return /^https?:\/\//i.test(one) ? [{ source: { kind: 'url', url: one, trusted } }] : []
  })
}

/** One failure for each picture that is missing: withheld ones, as the logs tell them, first. */
function missing(
  answer: ProviderHttpAnswer,
  prediction: WirePrediction,
  { names, count }: { names: ProviderNames; count: number },
): ImageFailure[] {
  const withheld = prediction.logs?.match(/^NSFW content detected in image \d+[ \t]*$/gm)?.length ?? 0
  const isFailed = prediction.status !== 'succeeded'
  return Array.from({ length: Math.max(count, 0) }, (_, index) => {
    if (index < withheld) return { error: withheldPicture(answer, names) }
    if (isFailed) return { error: predictionFailure(answer, names, prediction) }
    return { error: leftOut(prediction, names) }
  })
}

function leftOut({ data_removed, id }: WirePrediction, { title }: ProviderNames) {
  return data_removed
    ? noPicture(title, 'has removed the pictures already, as it does after an hour', `prediction ${id}`)
    : noPicture(title, 'left out a picture that it owed', `prediction ${id}`)
}

/**
 * The seed the model says it used, or else the one it was given. Here and below no pattern looks past the end of a line:
 * in logs of many empty ones that would take minutes.
 */
function seedOf({ logs = '', input }: WirePrediction): number | undefined {
  const [, digits] = /^[ \t]*using seed:? (\d{1,15})[ \t]*$/im.exec(logs) ?? []
  return digits === undefined ? input?.seed : Number(digits)
}

/** `76%|████    | 19/25 [00:03<00:01]`, as the models print it; the latest line counts. */
function progressOf(logs = ''): { progress?: number } {
  const [latest] = [...logs.matchAll(/^[ \t]*(\d{1,3})%[ \t]*\|[^|\n]{0,100}\|[ \t]*\d+\/\d+/gm)].reverse()
  return latest ? { progress: Math.min(Number(latest[1]) / 100, 1) } : {}
}

/** As often as Replicate's own client at first, and more rarely what takes long: 3,000 questions a minute are allowed. */
function pauseAfter(createdAt: string | undefined): number {
  const ageMs = Date.now() - Date.parse(createdAt ?? '')
  if (!(ageMs > 15_000)) return 500
  return ageMs > 120_000 ? 5_000 : 1_500
}
