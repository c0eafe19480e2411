import { afterEach, describe, expect, it } from 'vitest'
import { call, closeOpened } from './testing/gemini-call.ts'

afterEach(closeOpened)

const data = Buffer.from('89504e470d0a1a0a', 'hex').toString('base64')
const png = { inlineData: { mimeType: 'image/png', data } }

/** An answer with these parts. */
function saying(parts: unknown, candidate: object = {}) {
  return { body: { candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP', ...candidate }] } }
}

describe('the reply', () => {
  it('gives the picture and not its drafts, what was said, or a rewritten prompt', async () => {
    const { outcome } = await call({}, { fixture: 'thinking.json' })
    expect(outcome).toEqual({
      status: 'completed',
      images: [{ source: { kind: 'bytes', bytes: expect.any(Buffer) } }],
      usage: {
        inputTokens: 267,
        // Thoughts are paid for as text.
        outputTokens: 1345,
        totalTokens: 1612,
        inputTokensDetails: { textTokens: 9, imageTokens: 258, cachedTokens: undefined },
        outputTokensDetails: { textTokens: 225, imageTokens: 1120 },
      },
      upstreamRequestId: 'u1kfaeX3GtqKz7IP_vvk8QM',
    })
    if (!('images' in outcome) || outcome.images[0]?.source.kind !== 'bytes') throw new Error('no bytes')
    // The draft is 2 pixels wide, the picture 4.
    expect(outcome.images[0].source.bytes.readUInt32BE(16)).toBe(4)
  })

  it('gives one picture where the model could not stop', async () => {
    const { outcome } = await call({}, saying([png, { text: 'and another' }, png]))
    expect(outcome).toMatchObject({ images: [{}] })
  })

  it('gives the last draft where the picture came among the thoughts only', async () => {
    const last = Buffer.from('89504e470d0a1a0a0000', 'hex')
    const lastPng = { inlineData: { mimeType: 'image/png', data: last.toString('base64') }, thought: true }
    const parts = [
      { text: 'Hm.', thought: true },
      { ...png, thought: true },
      lastPng,
      { text: 'Here it is.' },
    ]
    const { outcome } = await call({}, saying(parts))
    expect(outcome).toMatchObject({ images: [{ source: { kind: 'bytes', bytes: last } }] })
  })

  it('gives no draft of what was refused', async () => {
    const { outcome } = await call({}, saying([{ ...png, thought: true }], { finishReason: 'IMAGE_SAFETY' }))
    expect(outcome).toMatchObject({ code: 'moderation_blocked', attribution: 'client' })
  })

  it('gives the picture whatever else is odd', async () => {
    const parts = [null, 7, { inlineData: 'x' }, { text: {} }, { ...png, thought: 'no' }]
    const usageMetadata = { promptTokenCount: -1, promptTokensDetails: 'x' }
    const reply = saying(parts, { finishReason: 9 })
    const { outcome } = await call({}, { body: { ...reply.body, usageMetadata, responseId: 7 } })
    expect(outcome).toMatchObject({ images: [{ source: { kind: 'bytes' } }] })
  })

  it.each([-1, 1.5, 1_000_000_001, 1e308, 'NaN', null])('never used %j tokens', async (count) => {
    const usageMetadata = {
      promptTokenCount: count,
      candidatesTokenCount: count,
      candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: count }],
    }
    const { body } = saying([png])
    const { outcome } = await call({}, { body: { ...body, usageMetadata } })
    expect(outcome).toMatchObject({
      images: [{}],
      usage: {
        inputTokens: undefined,
        outputTokens: undefined,
        outputTokensDetails: { imageTokens: undefined },
      },
    })
  })

  it('gives the picture of a stranger without a media type', async () => {
    const { outcome } = await call({}, saying([{ inlineData: { data } }]))
    expect(outcome).toMatchObject({ images: [{ source: { kind: 'bytes' } }] })
  })

  it.each<[string, object]>([
    ['a fixture of Google', { fixture: 'image-safety.json' }],
    ['a blocked prompt', { fixture: 'blocked-prompt.json' }],
    ...['SAFETY', 'IMAGE_SAFETY', 'PROHIBITED_CONTENT', 'IMAGE_PROHIBITED_CONTENT', 'IMAGE_RECITATION'].map(
      (finishReason): [string, object] => [finishReason, saying([], { finishReason })],
    ),
    ...['RECITATION', 'BLOCKLIST', 'SPII'].map((finishReason): [string, object] => [
      finishReason,
      saying([{ text: 'I cannot.' }], { finishReason }),
    ]),
    ['blockReason OTHER', { body: { promptFeedback: { blockReason: 'OTHER' } } }],
    [
      'blockReason IMAGE_SAFETY',
      { body: { candidates: [], promptFeedback: { blockReason: 'IMAGE_SAFETY' } } },
    ],
    [
      'blockReason PROHIBITED_CONTENT beside a shell of a candidate',
      { body: { candidates: [{ index: 0 }], promptFeedback: { blockReason: 'PROHIBITED_CONTENT' } } },
    ],
  ])('with %s is a refusal, which is nobody else’s doing and may have cost money', async (_, told) => {
    const { outcome } = await call({}, told)
    const refusal = { code: 'moderation_blocked', attribution: 'client', dispatched: 'yes', retryable: false }
    expect(outcome).toMatchObject(refusal)
  })

  it('quotes what Google says of a refusal', async () => {
    const { outcome } = await call({}, { fixture: 'image-safety.json' })
    expect(outcome).toMatchObject({
      message: expect.stringMatching(
        /^Google Gemini refused: IMAGE_SAFETY: Unable to show the generated image/,
      ),
    })
  })

  it.each<[string, object]>([
    ...['NO_IMAGE', 'IMAGE_OTHER', 'OTHER', 'STOP', 'MAX_TOKENS', 'NEVER_HEARD_OF'].map(
      (finishReason): [string, object] => [finishReason, saying([{ text: 'Sorry!' }], { finishReason })],
    ),
    ['only drafts of what went wrong', saying([{ ...png, thought: true }], { finishReason: 'IMAGE_OTHER' })],
    ['an empty picture', saying([{ inlineData: { mimeType: 'image/png', data: '' } }])],
    ['base64 that is none', saying([{ inlineData: { mimeType: 'image/png', data: 'not a picture!' } }])],
    ['a sound', saying([{ inlineData: { mimeType: 'audio/wav', data } }])],
    ['an unspecified block', { body: { promptFeedback: { blockReason: 'BLOCK_REASON_UNSPECIFIED' } } }],
    ['nothing', { body: {} }],
    ['a list', { body: [] }],
    ['a number', { body: 7 }],
  ])('with %s is no success', async (_, told) => {
    const { outcome } = await call({}, told)
    expect(outcome).toMatchObject({ code: 'upstream_invalid_response', dispatched: 'yes', retryable: false })
  })

  it('tells operators, not callers, what the model said instead of drawing', async () => {
    const { outcome } = await call({}, saying([{ text: 'Which heron?' }], { finishReason: 'NO_IMAGE' }))
    expect(outcome).toMatchObject({
      message: 'Google Gemini answered without a picture.',
      detail: 'finished NO_IMAGE: Which heron?',
    })
  })

  it('does not say the prompt again where the model did', async () => {
    const { outcome } = await call({}, saying([{ text: 'You said: a heron at dawn.' }]))
    expect(outcome).toMatchObject({ detail: expect.not.stringContaining('heron') })
  })
})
