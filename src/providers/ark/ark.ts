/**
 * ByteDance's Seedream on Volcengine Ark, and on BytePlus ModelArk outside of China: the same API under two names. It
 * answers when the work is done, knows neither jobs nor idempotency keys, and makes one picture per call, or a series.
 */
import { excerpt } from '../excerpt.ts'
import type { ProviderHttpAnswer, ProviderHttpCall } from '../http.ts'
import { askAboutKey } from '../key-check.ts'
import { hasPrivateHost } from '../private-host.ts'
import type { Provider, ProviderCompleted, ProviderDefinition, ProviderRequest } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import { secretsOf } from '../request-secrets.ts'
import { missingKey, noPicture } from '../vendor-failure.ts'
import { dialectNames, mostOf } from './ark-dialects.ts'
import { arkFailure } from './ark-failure.ts'
import { environment, names, title } from './ark-names.ts'
import { type Asked, readReply } from './ark-reply.ts'
import { dialectFor, imageBody, inputMediaTypes, maxInputEdge } from './ark-request.ts'
import { wireReply } from './ark-schema.ts'
import { gatherEvents } from './ark-stream.ts'

const defaultBaseUrl = 'https://ark.cn-beijing.volces.com/api/v3'

/** A series is drawn picture after picture: what one call may take grows by so much with each further one. */
const furtherPictureMs = 40_000

interface Call extends ProviderHttpCall {
  withhold: readonly string[]
  body: Record<string, unknown>
}

export const ark: ProviderDefinition = {
  id: 'ark',
  title,
  environment,
  defaultBaseUrl,
  dialects: dialectNames,
  imagesPerCall: 1,
  create({ apiKey, baseUrl = defaultBaseUrl, timeoutMs, maxResponseBytes }, { http }): Provider {
    const trusted = hasPrivateHost(baseUrl)
    const isVendors = /\.(volces|bytepluses)\.com$/.test(new URL(baseUrl).hostname)

    const frame = (path: string, signal: AbortSignal): ProviderHttpCall => {
      if (!apiKey && isVendors) throw missingKey(names)
      const headers: Record<string, string> = apiKey ? { authorization: `Bearer ${apiKey}` } : {}
      return { title, url: `${baseUrl}${path}`, headers, timeoutMs, maxResponseBytes, signal }
    }
    const callFor = (request: ProviderRequest, isWatched: boolean, signal: AbortSignal): Call => {
      const body = imageBody(request, { baseUrl, isWatched })
      return {
        ...frame('/images/generations', signal),
        timeoutMs: timeoutMs + (mostOf(request) - 1) * furtherPictureMs,
        withhold: secretsOf(request),
        body,
      }
    }
    const askedBy = (request: ProviderRequest): Asked => ({ atMost: mostOf(request), trusted })

    const start = async (request: ProviderRequest, signal: AbortSignal) =>
      readAnswer(await http.postJson(callFor(request, false, signal)), askedBy(request))

    return {
      id: 'ark',
      inputs: { mediaTypes: inputMediaTypes, maxEdge: maxInputEdge },
      start,
      async stream(request, watching, signal) {
        if (!dialectFor(request).streams) return start(request, signal)
        const call = callFor(request, true, signal)
        const asked = askedBy(request)
        const gatherer = gatherEvents(request.series && ((partial) => watching.onPartial(partial)))
        let answer: ProviderHttpAnswer
        try {
          answer = await http.postJson({ ...call, onEvent: gatherer.take, hasAll: gatherer.isComplete })
        } catch (error) {
          if (!(error instanceof ProviderError) || !gatherer.hasBegun()) throw error
          const broken = gatherer.isComplete() ? undefined : error
          return readReply(unfinished([...call.withhold, apiKey ?? '']), gatherer.reply(), asked, broken)
        }
        if (!gatherer.hasBegun()) return readAnswer(answer, asked)
        const broken = gatherer.isComplete() ? undefined : noPicture(title, 'ended its answer in the middle')
        return readReply(answer, gatherer.reply(), asked, broken)
      },
      /**
       * No list of models is documented for keys, but one of the tasks of other kinds: "List video generation tasks"
       * (https://www.volcengine.com/docs/82379/1521675).
       */
      async checkKey(signal) {
        await askAboutKey(http, { call: frame('/contents/generations/tasks?page_num=1&page_size=1', signal) })
      },
    }
  },
}

/** An answer in one piece. */
function readAnswer(answer: ProviderHttpAnswer, asked: Asked): ProviderCompleted {
  if (answer.status >= 400) throw arkFailure(answer)
  const reply = wireReply.safeParse(answer.json)
  if (reply.success) return readReply(answer, reply.data, asked)
  throw noPicture(title, 'sent an answer that is not an image list', answer.excerpt())
}

/** Stands for an answer that broke off, of which nothing is known but its events. */
function unfinished(withheld: readonly string[]): ProviderHttpAnswer {
  return {
    status: 200,
    headers: { get: () => undefined },
    json: undefined,
    excerpt: (text = '') => excerpt(text, withheld),
  }
}
