/** What the Images API makes of a call that was accepted: pictures, and what it says of them, at once or as events. */
import sharp from 'sharp'
import { fakeEdit, fakePicture } from './fake-picture.ts'
import type { ImageCall } from './openai-rules.ts'

/** Picture k of the call: a plain one, or the input in a frame. */
export function drawPicture(call: ImageCall, index: number, noisy?: boolean): Promise<Buffer> {
  const { width, height, format } = call
  const picture = { width, height, format, index, noisy }
  const likeness = call.images[0]?.likeness()
  return likeness ? fakeEdit(likeness, picture) : fakePicture(picture)
}

/** An answer in one piece. */
export function officialReply(call: ImageCall, data: object[]) {
  const outputTokens = call.n * imageTokens(call)
  const { input_tokens, input_tokens_details } = inputUsage(call)
  return {
    created: now(),
    background: call.background,
    data,
    output_format: call.format,
    quality: call.quality,
    size: `${call.width}x${call.height}`,
    usage: {
      input_tokens,
      input_tokens_details,
      output_tokens: outputTokens,
      output_tokens_details: { image_tokens: outputTokens, text_tokens: 0 },
      total_tokens: input_tokens + outputTokens,
    },
  }
}

/** How a stream goes where it does not simply end with the picture. */
export interface StreamPlay {
  /** What comes instead of the picture: an error, or nothing at all. */
  endsWith?: 'moderation' | 'server error' | 'nothing'
  /** The picture overtakes its stages. */
  finalFirst?: boolean
  /** Ends with `[DONE]`, as OpenAI's text streams do. */
  done?: boolean
}

/** The same as events, word for word as they go over the wire. */
export async function streamReply(call: ImageCall, picture: Buffer, play: StreamPlay = {}): Promise<Buffer> {
  const kind = call.images.length > 0 ? 'image_edit' : 'image_generation'
  const said = {
    created_at: now(),
    size: `${call.width}x${call.height}`,
    quality: call.quality,
    background: call.background,
    output_format: call.format,
  }
  const stages = call.stream?.partialImages ?? 0
  const partials = await Promise.all(
    Array.from({ length: stages }, async (_, index) => ({
      type: `${kind}.partial_image`,
      b64_json: (await blurred(call, picture, stages - index)).toString('base64'),
      ...said,
      partial_image_index: index,
    })),
  )
  const { input_tokens, input_tokens_details } = inputUsage(call)
  // Each stage costs a hundred tokens beside the picture.
  const outputTokens = imageTokens(call) + stages * 100
  const completed = {
    type: `${kind}.completed`,
    b64_json: picture.toString('base64'),
    ...said,
    usage: {
      total_tokens: input_tokens + outputTokens,
      input_tokens,
      output_tokens: outputTokens,
      input_tokens_details,
    },
  }
  const ending = play.endsWith === undefined ? [completed] : streamErrors[play.endsWith]
  const events: { type: string }[] = play.finalFirst ? [...ending, ...partials] : [...partials, ...ending]
  const text = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')
  return Buffer.from(play.done ? `${text}data: [DONE]\n\n` : text)
}

const streamErrors: Record<NonNullable<StreamPlay['endsWith']>, { type: string; error: object }[]> = {
  moderation: [
    {
      type: 'error',
      error: {
        message: 'Your request was rejected by the safety system. safety_violations=[violence].',
        type: 'image_generation_user_error',
        param: null,
        code: 'moderation_blocked',
      },
    },
  ],
  'server error': [
    {
      type: 'error',
      error: {
        message: 'The server had an error while processing your request. Sorry about that!',
        type: 'server_error',
        param: null,
        code: null,
      },
    },
  ],
  nothing: [],
}

/** The picture as it looks `early` stages before it is finished: in squares that are larger the earlier it is. */
async function blurred(
  { width, height, format }: ImageCall,
  picture: Buffer,
  early: number,
): Promise<Buffer> {
  const square = 16 * 2 ** early
  const few = {
    width: Math.max(1, Math.round(width / square)),
    height: Math.max(1, Math.round(height / square)),
  }
  const small = await sharp(picture)
    .resize({ ...few, fit: 'fill' })
    .png()
    .toBuffer()
  return sharp(small).resize({ width, height, fit: 'fill', kernel: 'nearest' }).toFormat(format).toBuffer()
}

function inputUsage({ prompt, images }: ImageCall) {
  const textTokens = Math.ceil(prompt.length / 4)
  const imageTokens = images.length * 256
  return {
    input_tokens: textTokens + imageTokens,
    input_tokens_details: { image_tokens: imageTokens, text_tokens: textTokens },
  }
}

/** The public estimate for GPT Image 2, which gives the tokens of OpenAI's own price table. */
function imageTokens({ width, height, quality }: ImageCall): number {
  const long = Math.max(width, height)
  const short = Math.min(width, height)
  const factor = quality === 'low' ? 16 : quality === 'medium' ? 48 : 96
  const side = Math.floor((2 * factor * short + long) / (2 * long))
  return Math.ceil((factor * side * (2_000_000 + width * height)) / 4_000_000)
}

function now(): number {
  return Math.floor(Date.now() / 1000)
}
