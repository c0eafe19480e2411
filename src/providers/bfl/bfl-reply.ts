/** What Black Forest Labs answers to a submission and to a question, turned into what the core understands. */
import type { ProviderHttpAnswer } from '../http.ts'
import type { Operation, ProviderCompleted, ProviderOutcome, ProviderPending } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { checkFailure, noPicture, type ProviderNames, workFailure } from '../vendor-failure.ts'
import { failureWords, refusalWords } from './bfl-failure.ts'
import { ownPollingUrl } from './bfl-polling.ts'
import { operationNote, wireAccepted, wireResult } from './bfl-schema.ts'

/** The quickest models take less than a second. */
const firstCheckAfterMs = 250
/** As often as the vendor's own example asks. */
const checkAfterMs = 500
/** A credit is a cent. */
const microsPerCredit = 10_000

/** States that nothing follows, beside `Ready`. The quick start names `Failed`, the API reference the others. */
const refusals = ['Request Moderated', 'Content Moderated']
const endings = [...refusals, 'Error', 'Failed', 'Task not found']

/** The note on accepted work. Throws `upstream_invalid_response` where the answer does not name it. */
export function readAccepted(
  answer: ProviderHttpAnswer,
  { title }: ProviderNames,
  baseUrl: string,
): ProviderPending {
  const reply = wireAccepted.safeParse(answer.json)
  if (!reply.success) throw noPicture(title, 'sent an answer that names no work', answer.excerpt())
  const { id, polling_url, cost } = reply.data
  const pollingUrl = ownPollingUrl(polling_url, baseUrl)
  const operation: Operation = {
    id,
    ...(pollingUrl === undefined ? {} : { pollingUrl }),
    ...(cost === undefined ? {} : { costMicros: toMicros(cost) }),
  }
  return { status: 'pending', operation, checkAfterMs: firstCheckAfterMs }
}

/** How the work is going. Throws `ProviderError` as `Provider.check` does. */
export function readResult(
  answer: ProviderHttpAnswer,
  operation: Operation,
  { names, trusted }: { names: ProviderNames; trusted: boolean },
): ProviderOutcome {
  const reply = wireResult.safeParse(answer.json).data
  const status = reply?.status ?? reply?.state
  // Work that was not found is a 404; any other error is about the asking, whatever it holds.
  const isTold = answer.status < 400 || answer.status === 404
  const ending = isTold ? endings.find((word) => word === status) : undefined
  if (ending) {
    const { message, ...words } = refusalWords(answer.json)
    const kind = refusals.includes(ending) ? 'moderation' : words.kind
    throw workFailure(answer, names, {
      ...words,
      kind: kind ?? 'failed',
      message: message || ending,
      code: ending,
    })
  }
  if (answer.status >= 400) throw checkFailure(answer, names, failureWords(answer.json))
  if (!reply || status === undefined) throw unclear(names, answer)
  if (status !== 'Ready') {
    const { progress } = reply
    return { status: 'pending', operation, checkAfterMs, ...(progress === undefined ? {} : { progress }) }
  }
  const { sample, seed } = reply.result ?? {}
  if (!sample || !/^https?:\/\//i.test(sample)) throw noPicture(names.title, 'answered without a picture')
  const costMicros =
    reply.cost === undefined ? operationNote.parse(operation).costMicros : toMicros(reply.cost)
  return completed({ url: sample, trusted, seed, costMicros, id: operation.id })
}

function completed(done: {
  url: string
  trusted: boolean
  seed: number | undefined
  costMicros: number | undefined
  id: string
}): ProviderCompleted {
  const { url, trusted, seed, costMicros, id } = done
  const source = { kind: 'url' as const, url, trusted }
  return {
    status: 'completed',
    images: [{ source, ...(seed === undefined ? {} : { seed }) }],
    ...(costMicros === undefined ? {} : { costMicros }),
    upstreamRequestId: id,
  }
}

function toMicros(credits: number): number {
  return Math.round(credits * microsPerCredit)
}

/** A success that tells no state: something between here and the vendor answered, and the work goes on. */
function unclear({ title }: ProviderNames, answer: ProviderHttpAnswer): ProviderError {
  return new ProviderError({
    code: 'upstream_unavailable',
    attribution: 'upstream',
    message: `${title} does not tell how the work is going.`,
    detail: answer.excerpt(),
    dispatched: 'yes',
    retryable: true,
  })
}
