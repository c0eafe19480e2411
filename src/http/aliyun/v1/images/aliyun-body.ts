/**
 * Aliyun's own form of an image request: `{ model, input, parameters }`, where input is one message with texts and
 * pictures, or a prompt (Model Studio, "Qwen-Image API reference", read 2026-11-20). Read into the canonical body.
 */
import { z } from 'zod'
import { badRequest } from '../../../../lib/errors.ts'
import { imageSizes } from '../../../../models/fields.ts'
import type { Handling, Warning } from '../../../../models/map-fields.ts'
import type { DrawingBody } from '../../../drawing/drawing-body.ts'
import { drawingFields, imageInput, modelField, promptField } from '../../../drawing/image-fields.ts'
import { parseBody } from '../../../parse.ts'
import { optional } from '../../../schemas.ts'

const contentsError = 'a list of 1 to 20 objects with text or with image'
const contentError = 'an object with text or with image'
const content = z.union([z.strictObject({ text: promptField }), z.strictObject({ image: z.unknown() })], {
  error: contentError,
})

const message = z.strictObject(
  {
    role: z.literal('user', { error: '"user"' }),
    content: z
      .array(content, { error: contentsError })
      .min(1, { error: contentsError })
      .max(20, { error: contentsError }),
  },
  { error: 'an object with role and content' },
)

const sizeError = 'W*H, such as 1024*1024, or one of 1K, 2K, 4K'
const size = optional(
  z.string({ error: sizeError }).regex(/^([1-9]\d{0,4}[*x][1-9]\d{0,4}|[124]K)$/, { error: sizeError }),
).describe('`W*H`, where an x is understood too, or a resolution class of a model that has them.')

export const aliyunBody = z
  .strictObject({
    model: modelField,
    input: z.strictObject(
      {
        messages: optional(
          z.array(message, { error: 'a list of one message' }).length(1, { error: 'a list of one message' }),
        ),
        prompt: optional(promptField),
        negative_prompt: drawingFields.negative_prompt,
        images: optional(z.array(imageInput, { error: 'a list of pictures' })),
      },
      { error: 'an object with messages or with a prompt' },
    ),
    parameters: optional(
      z.strictObject(
        {
          size,
          n: drawingFields.n,
          negative_prompt: drawingFields.negative_prompt,
          prompt_extend: drawingFields.enhance_prompt.describe(
            'Has the prompt rewritten before it is drawn.',
          ),
          watermark: drawingFields.watermark,
          seed: drawingFields.seed,
        },
        { error: 'an object' },
      ),
    ),
    response_format: drawingFields.response_format,
    user: drawingFields.user,
    metadata: drawingFields.metadata,
    bucket: drawingFields.bucket,
    dry_run: drawingFields.dry_run,
  })
  .meta({
    id: 'GenerateImagesAliyun',
    example: {
      model: 'gesso-collage',
      input: { messages: [{ role: 'user', content: [{ text: 'a red fox in a snowy forest' }] }] },
      parameters: { size: '1024*1024' },
    },
  })

const noParameters: NonNullable<z.output<typeof aliyunBody>['parameters']> = {
  size: undefined,
  n: undefined,
  negative_prompt: undefined,
  prompt_extend: undefined,
  watermark: undefined,
  seed: undefined,
}

/** Is the body in this form? Its `input` object says so. */
export function isAliyunBody(body: unknown): boolean {
  if (typeof body !== 'object' || body === null || !('input' in body)) return false
  return typeof body.input === 'object' && body.input !== null && !Array.isArray(body.input)
}

/** Reads the form into canonical words. Throws a 400 that names the field as this form calls it. */
export function parseAliyunBody(
  body: unknown,
  handling: Handling,
): {
  value: DrawingBody & { prompt: string; image?: unknown }
  warnings: Warning[]
  /** What input pictures are called in messages. */
  imageName: string
} {
  const { value, warnings } = parseBody(aliyunBody, body, handling)
  const { input, parameters, ...own } = value
  const { prompt_extend: extend, size, negative_prompt: negative, ...drawing } = parameters ?? noParameters
  const imageSize = imageSizes.find((one) => one === size)
  const { prompt, images } = wordsAndPictures(input)
  return {
    value: {
      ...own,
      ...drawing,
      prompt,
      // The vendor writes an asterisk.
      size: imageSize ? undefined : size?.replace('*', 'x'),
      image_size: imageSize,
      negative_prompt: oneNegative(input.negative_prompt, negative),
      enhance_prompt: extend,
      image: images.length > 0 ? images : undefined,
    },
    warnings,
    imageName: 'input.image',
  }
}

/** It may stand in either place, but it is one. */
function oneNegative(inInput: string | undefined, inParameters: string | undefined): string | undefined {
  if (inInput !== undefined && inParameters !== undefined && inInput !== inParameters) {
    throw badRequest(
      'parameters.negative_prompt',
      'input.negative_prompt and parameters.negative_prompt differ; send one of the two.',
    )
  }
  return inParameters ?? inInput
}

function wordsAndPictures(input: z.output<typeof aliyunBody>['input']): {
  prompt: string
  images: unknown[]
} {
  const { messages, prompt, images = [] } = input
  if (messages && images.length > 0) {
    throw badRequest(
      'input.images',
      'input has messages and images; in messages a picture stands in the content, as {"image":"…"}.',
    )
  }
  if (messages && prompt !== undefined) {
    throw badRequest('input', 'input has messages and a prompt; send one of the two.')
  }
  if (prompt !== undefined) return { prompt, images }
  const contents = messages?.[0]?.content ?? []
  const texts = contents.flatMap((one) => ('text' in one ? [one.text] : []))
  const [text, ...others] = texts
  if (text === undefined || others.length > 0) {
    throw badRequest(
      'input',
      `input has ${texts.length} texts, but must have one: {"messages":[{"role":"user","content":[{"text":"…"}]}]} or {"prompt":"…"}.`,
    )
  }
  return { prompt: text, images: contents.flatMap((one) => ('image' in one ? [one.image] : [])) }
}
