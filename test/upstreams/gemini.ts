/**
 * Google Gemini's `generateContent` for image models on 127.0.0.1: strict where Google is strict, so that a field that
 * would cost a user a 400 costs us a test. Vercel's Google client is the judge of its faithfulness, in `gemini.test.ts`.
 */
import { randomBytes } from 'node:crypto'
import { fakeEdit, fakePicture } from './fake-picture.ts'
import {
  type FakeAnswer,
  type FakeUpstream,
  type FakeUpstreamOptions,
  type RecordedRequest,
  startFakeUpstream,
} from './fake-upstream.ts'
import { geminiFailureAnswer } from './gemini-failures.ts'
import { errorInfo, GeminiRefusal } from './gemini-refusal.ts'
import { type GeminiCall, readGeminiCall } from './gemini-rules.ts'

export interface FakeGeminiOptions extends FakeUpstreamOptions {
  /** Pictures as heavy as real ones. */
  noisy?: boolean
  /** Errors repeat the prompt, the key and base64, as careless servers do. */
  echo?: boolean
  /** Draws this size, whatever is asked for. */
  otherSize?: { width: number; height: number }
  /** Shows a draft among its thoughts before the picture. */
  drafts?: boolean
}

/** The key that the fake accepts. */
export const fakeGeminiKey = 'AIzaSyFake0123456789abcdefghijklmnopqrs'

/** Starts the fake. `url` ends in `/v1beta`. */
export function startFakeGemini(options: FakeGeminiOptions = {}): Promise<FakeUpstream> {
  return startFakeUpstream(
    () => ({
      isSubmission: (request) => request.method === 'POST' && request.path.includes(':generateContent'),
      fail: async (scenario, request) =>
        geminiFailureAnswer(scenario, request, options.echo ?? false) ?? (await answer(request, options)),
      answer: (request) => answer(request, options),
    }),
    { ...options, basePath: '/v1beta' },
  )
}

async function answer(request: RecordedRequest, options: FakeGeminiOptions): Promise<FakeAnswer> {
  try {
    checkKey(request)
    if (request.method === 'GET' && /^\/v1beta\/models(\?|$)/.test(request.path)) {
      return { status: 200, body: modelList }
    }
    const call = await readGeminiCall(request)
    const picture = await draw(call, options)
    return { status: 200, body: reply(call, picture, options) }
  } catch (error) {
    if (!(error instanceof GeminiRefusal)) throw error
    return { status: error.code, body: error.body() }
  }
}

/** The first page, of one. */
const modelList = {
  models: [
    {
      name: 'models/gemini-3.1-flash-image',
      version: '3.1',
      displayName: 'Gemini 3.1 Flash Image',
      supportedGenerationMethods: ['generateContent', 'countTokens'],
    },
  ],
  nextPageToken: 'Cht0ZXN0',
}

function checkKey({ headers }: RecordedRequest): void {
  const given = headers['x-goog-api-key']
  if (given === fakeGeminiKey) return
  throw given === undefined
    ? new GeminiRefusal(
        403,
        'PERMISSION_DENIED',
        "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.",
      )
    : new GeminiRefusal(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', [
        errorInfo('API_KEY_INVALID'),
      ])
}

function draw(call: GeminiCall, { otherSize, noisy }: FakeGeminiOptions): Promise<Buffer> {
  const { width, height } = otherSize ?? call
  // Neighbouring seeds draw in other colours.
  const picture = { width, height, format: 'png', index: (call.seed ?? 0) % 10, noisy } as const
  const likeness = call.images[0]?.likeness()
  return likeness ? fakeEdit(likeness, picture) : fakePicture(picture)
}

function reply(call: GeminiCall, picture: Buffer, { drafts }: FakeGeminiOptions) {
  const inlineData = { mimeType: 'image/png', data: picture.toString('base64') }
  const draft = { mimeType: 'image/png', data: Buffer.from('a draft, and no picture').toString('base64') }
  const parts = [
    ...(drafts
      ? [
          { text: 'Thinking about herons.', thought: true },
          { inlineData: draft, thought: true },
        ]
      : []),
    ...(call.talks ? [{ text: 'Here is your picture.' }] : []),
    { inlineData, thoughtSignature: randomBytes(24).toString('base64') },
  ]
  return {
    candidates: [{ content: { parts, role: 'model' }, finishReason: 'STOP', index: 0 }],
    usageMetadata: usage(call),
    modelVersion: call.model,
    responseId: randomBytes(12).toString('base64url'),
  }
}

/** The tokens of the guide's table: 747, 1120, 1120 and 2000 for the four classes of Flash. */
function usage({ prompt, images, imageSize, talks }: GeminiCall) {
  const text = Math.ceil(prompt.length / 4)
  const picture = imageSize === '512' ? 747 : imageSize === '4K' ? 2000 : 1120
  const words = talks ? 5 : 0
  const thoughtsTokenCount = 120
  return {
    promptTokenCount: text + 258 * images.length,
    candidatesTokenCount: picture + words,
    totalTokenCount: text + 258 * images.length + picture + words + thoughtsTokenCount,
    promptTokensDetails: [
      { modality: 'TEXT', tokenCount: text },
      ...(images.length > 0 ? [{ modality: 'IMAGE', tokenCount: 258 * images.length }] : []),
    ],
    candidatesTokensDetails: [
      { modality: 'IMAGE', tokenCount: picture },
      ...(talks ? [{ modality: 'TEXT', tokenCount: words }] : []),
    ],
    thoughtsTokenCount,
  }
}
