/**
 * Alibaba DashScope, the API of Model Studio: Qwen-Image, Z-Image and Wan. Some models answer with their pictures, most
 * with a task to be asked for; see `dashscope-dialects.ts`. Keys belong to a region, and the base URL chooses it:
 * `dashscope.aliyuncs.com` is Beijing, `dashscope-intl.aliyuncs.com` Singapore (API references, read 2026-11-20).
 */
import type { ProviderHttpCall } from '../http.ts'
import { askAboutKey } from '../key-check.ts'
import { hasPrivateHost } from '../private-host.ts'
import type { Provider, ProviderDefinition } from '../provider.ts'
import { secretsOf } from '../request-secrets.ts'
import { missingKey, noPicture } from '../vendor-failure.ts'
import { dialectNames } from './dashscope-dialects.ts'
import { callFailure, questionFailure } from './dashscope-failure.ts'
import { readPictures } from './dashscope-reply.ts'
import { imageCall, inputMediaTypes } from './dashscope-request.ts'
import { wireAnswer } from './dashscope-schema.ts'
import { readAccepted, readOperation, readState } from './dashscope-task.ts'

const title = 'Alibaba DashScope'
const defaultBaseUrl = 'https://dashscope.aliyuncs.com/api/v1'
const environment = { apiKey: 'DASHSCOPE_API_KEY', baseUrl: 'DASHSCOPE_BASE_URL' }
const names = { title, ...environment }
/** Wan 2.5 takes no longer edges, and the others hardly more. */
const maxEdge = 5_000

export const dashscope: ProviderDefinition = {
  id: 'dashscope',
  title,
  environment,
  defaultBaseUrl,
  dialects: dialectNames,
  imagesPerCall: 1,
  create({ apiKey, baseUrl = defaultBaseUrl, timeoutMs, maxResponseBytes }, { http }): Provider {
    const trusted = hasPrivateHost(baseUrl)
    const frame = (path: string, signal: AbortSignal, withhold: readonly string[] = []): ProviderHttpCall => {
      if (!apiKey) throw missingKey(names)
      const headers = { authorization: `Bearer ${apiKey}` }
      return { title, url: `${baseUrl}${path}`, headers, timeoutMs, maxResponseBytes, signal, withhold }
    }
    const task = (id: string) => `/tasks/${encodeURIComponent(id)}`
    return {
      id: 'dashscope',
      inputs: { mediaTypes: inputMediaTypes, maxEdge },
      async start(request, signal) {
        const { dialect, body, owed, atMost } = imageCall(request, title)
        const call = frame(dialect.path, signal, secretsOf(request))
        // Where a model answers at once the vendor refuses the header, elsewhere its absence.
        const headers = { ...call.headers, ...(dialect.isAsync ? { 'x-dashscope-async': 'enable' } : {}) }
        const answer = await http.postJson({ ...call, headers, body })
        if (answer.status >= 400) throw callFailure(answer, names)
        if (dialect.isAsync) return readAccepted(answer, { owed, atMost, names })
        const wire = wireAnswer.safeParse(answer.json)
        if (!wire.success) throw noPicture(title, 'sent an answer that is not its own', answer.excerpt())
        return readPictures(answer, wire.data, { owed, atMost, names, trusted })
      },
      async check(operation, signal, withhold) {
        const asked = readOperation(operation)
        const answer = await http.getJson(frame(task(asked.id), signal, withhold))
        if (answer.status >= 400) throw questionFailure(answer, names)
        return readState(answer, asked, { names, trusted })
      },
      /** The vendor stops only what still waits in its queue. What it says about the rest changes nothing. */
      async cancel({ id }, signal) {
        await http.postJson({ ...frame(`${task(id)}/cancel`, signal), body: undefined })
      },
      /**
       * "Query the status of multiple tasks" (https://www.alibabacloud.com/help/en/model-studio/manage-asynchronous-tasks,
       * read 2026-11-21).
       */
      async checkKey(signal) {
        const call = frame('/tasks/?page_no=1&page_size=1', signal)
        await askAboutKey(http, { call, advice: `A key belongs to one region, which ${baseUrl} chooses.` })
      },
    }
  },
}
