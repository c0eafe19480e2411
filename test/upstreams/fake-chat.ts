/**
 * A chat model on 127.0.0.1 in the wire format of OpenAI's Chat Completions, strict where OpenAI is strict. It
 * rewrites a prompt by a function, or misbehaves as told. The official client is the judge of its faithfulness,
 * in `fake-chat.test.ts`.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { type FakeAnswer, type RecordedRequest, startFakeUpstream } from './fake-upstream.ts'

export type ChatScenario =
  | 'ok'
  | '500'
  /** Answers well, after `slowMs`. */
  | 'slow'
  /** Success, and a page of HTML as the body. */
  | 'html'
  /** Success, and a megabyte of text as the answer. */
  | 'huge'
  | 'tool_call'
  | 'refusal'
  /** An answer of no characters. */
  | 'empty'
  /** An answer of 9,000 characters. */
  | 'too_long'
  /** Points to another host. */
  | 'redirect'

export interface FakeChat extends AsyncDisposable {
  /** The base URL to configure, version path included. */
  readonly url: string
  /** Everything that arrived, oldest first. */
  readonly requests: RecordedRequest[]
  /** What arrived at the host to which the scenario `redirect` points. */
  readonly foreignRequests: RecordedRequest[]
  /** Changes the behaviour for good. A whole answer instead of a scenario is given word for word. */
  play(scenario: ChatScenario | FakeAnswer): Promise<void>
  close(): Promise<void>
}

export interface FakeChatOptions {
  /** The one key that is taken; every call is, without it. */
  apiKey?: string
  /** What the model makes of a prompt; by default it says that the picture is vivid. */
  rewrite?: (prompt: string) => string
  /** How long the scenario `slow` takes; 11 s by default. */
  slowMs?: number
}

const callBody = z.object({
  model: z.string().min(1),
  messages: z.array(z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() })).min(1),
  max_tokens: z.int().positive().optional(),
  max_completion_tokens: z.int().positive().optional(),
  temperature: z.number().optional(),
  reasoning_effort: z.enum(['minimal', 'low', 'medium', 'high']).optional(),
})

/** Starts the fake. `url` ends in `/v1`. */
export async function startFakeChat(options: FakeChatOptions = {}): Promise<FakeChat> {
  const { rewrite = (prompt) => `A vivid picture of ${prompt}, full of light and detail`, slowMs = 11_000 } =
    options
  let scenario: ChatScenario = 'ok'

  const answer = async (request: RecordedRequest): Promise<FakeAnswer> => {
    if (scenario === 'slow') await sleep(slowMs, undefined, { ref: false })
    if (scenario === 'html') return htmlPage
    if (options.apiKey && request.headers.authorization !== `Bearer ${options.apiKey}`) {
      return refusal(401, 'Incorrect API key provided.', 'invalid_api_key')
    }
    const call = callBody.strict().safeParse(request.body)
    if (!call.success) return refusal(400, z.prettifyError(call.error), 'invalid_request_error')
    const { model, messages, max_tokens: maxTokens } = call.data
    if (/^(gpt-5|o\d)/.test(model) && maxTokens !== undefined) {
      return refusal(400, "Unsupported parameter: 'max_tokens'.", 'unsupported_parameter')
    }
    const prompt = messages.findLast(({ role }) => role === 'user')?.content ?? ''
    return completion(model, message(scenario, rewrite(prompt)))
  }

  const upstream = await startFakeUpstream(
    () => ({
      answer,
      isSubmission: ({ method, path }) => method === 'POST' && path === '/v1/chat/completions',
      fail: (status) => refusal(Number(status) || 500, 'The server had an error.', null),
    }),
    { basePath: '/v1' },
  )
  return {
    url: upstream.url,
    requests: upstream.requests,
    foreignRequests: upstream.foreignRequests,
    async play(next) {
      if (typeof next === 'string') scenario = next
      const isShared = typeof next === 'object' || next === '500' || next === 'redirect'
      await upstream.play(isShared ? next : 'ok')
    },
    close: upstream.close,
    [Symbol.asyncDispose]: upstream.close,
  }
}

interface Message {
  content: string | null
  refusal?: string | null
  tool_calls?: unknown[]
}

function message(scenario: ChatScenario, rewritten: string): Message {
  switch (scenario) {
    case 'huge':
      return { content: 'many words '.repeat(100_000) }
    case 'too_long':
      return { content: 'many words '.repeat(819).slice(0, 9_000) }
    case 'empty':
      return { content: '' }
    case 'refusal':
      return { content: null, refusal: 'I cannot help with that.' }
    case 'tool_call': {
      const call = { name: 'fetch', arguments: '{"url":"http://127.0.0.1/"}' }
      return { content: null, tool_calls: [{ id: 'call_1', type: 'function', function: call }] }
    }
    default:
      return { content: rewritten }
  }
}

function completion(model: string, { content, refusal = null, ...more }: Message): FakeAnswer {
  const finish = more.tool_calls ? 'tool_calls' : 'stop'
  const body = {
    id: 'chatcmpl-fake',
    object: 'chat.completion',
    created: Math.floor(Date.now() / 1000),
    model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content, refusal, ...more },
        finish_reason: finish,
        logprobs: null,
      },
    ],
    usage: { prompt_tokens: 150, completion_tokens: 60, total_tokens: 210 },
  }
  return { status: 200, body }
}

function refusal(status: number, text: string, code: string | null): FakeAnswer {
  return { status, body: { error: { message: text, type: 'invalid_request_error', param: null, code } } }
}

const htmlPage: FakeAnswer = {
  status: 200,
  headers: { 'content-type': 'text/html' },
  body: Buffer.from('<!doctype html><html><body>Please sign in: secret words</body></html>'),
}
