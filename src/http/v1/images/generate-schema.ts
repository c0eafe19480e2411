/** The body of `POST /v1/images/generations`: OpenAI's fields, and those beside them. */
import { z } from 'zod'
import {
  drawingFields,
  imageInput,
  imageInputDescription,
  modelField,
  promptField,
} from '../../drawing/image-fields.ts'
import {
  costSchema,
  errorSchema,
  estimatedCostSchema,
  imageEntrySchema,
  promptOptimizationSchema,
  usageSchema,
  warningSchema,
} from '../../schemas.ts'

export const generateBody = z
  .strictObject(
    {
      model: modelField,
      prompt: promptField,
      ...drawingFields,
      image: imageInput.describe(
        `One input picture, or a list of up to 16: turns the call into an edit. ${imageInputDescription}`,
      ),
      markup: imageInput.describe(
        'Notes and marks drawn over the first input picture, as a transparent PNG as large as it.',
      ),
      mask: imageInput.describe(
        `Its transparent pixels are what may change; as large as the first input picture. ${imageInputDescription}`,
      ),
    },
    { error: 'a JSON object' },
  )
  .meta({
    id: 'GenerateImages',
    example: {
      model: 'gesso-collage',
      prompt: 'three neon orange foxes in a misty forest at night',
      size: '1024x1024',
    },
  })

export const generateAnswer = z
  .object({
    id: z.string().describe('The task; GET /v1/images/generations/{id} shows it again.'),
    created: z.int().describe('Unix seconds.'),
    model: z.string(),
    data: z.array(imageEntrySchema),
    size: z.string(),
    quality: z.string().optional(),
    background: z.string().optional(),
    output_format: z.string(),
    bucket: z.string().optional(),
    prompt_optimization: promptOptimizationSchema.optional().describe('Where the prompt was rewritten.'),
    usage: usageSchema,
    cost: costSchema,
    warnings: z.array(warningSchema).optional(),
  })
  .meta({ id: 'Images' })

export const estimateAnswer = z
  .object({
    object: z.literal('image.generation.estimate'),
    cost: estimatedCostSchema,
    warnings: z.array(warningSchema),
  })
  .meta({ id: 'Estimate', description: 'What `dry_run: true` answers.' })

const streamEvent = z
  .object({
    type: z.enum([
      'image_generation.partial_image',
      'image_generation.completed',
      'image_edit.partial_image',
      'image_edit.completed',
      'error',
    ]),
    created_at: z.int().optional().describe('Unix seconds.'),
    partial_image_index: z
      .int()
      .optional()
      .describe('Of an unfinished picture: which of its stages, from 0.'),
    index: z.int().optional().describe('Which picture, from 0; where several were asked for.'),
    ...imageEntrySchema.partial().shape,
    ...generateAnswer.omit({ created: true, data: true }).partial().shape,
    error: errorSchema.shape.error.optional().describe('Why it failed after the stream had begun.'),
  })
  .meta({
    id: 'ImageEvent',
    description:
      'The data of one event, whose name is its type. Usage, cost and warnings stand in the last one. Comments between events show that the work goes on.',
  })

/** The 200 of an operation that streams where it is asked to. */
export const drawnOrStreamed = {
  description: 'The pictures, or with `stream` their events.',
  content: {
    'application/json': { schema: z.union([generateAnswer, estimateAnswer]) },
    'text/event-stream': { schema: streamEvent },
  },
}
