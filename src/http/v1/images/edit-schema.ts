/** The body of `POST /v1/images/edits`, as JSON or as the parts of a form. */
import { z } from 'zod'
import {
  drawingFields,
  imageInput,
  imageInputDescription,
  modelField,
  promptField,
} from '../../drawing/image-fields.ts'

export const editBody = z
  .strictObject(
    {
      model: modelField,
      prompt: promptField,
      image: imageInput.describe(
        `The picture to change, or a list of up to 16. ${imageInputDescription} In a form: \`image\`, or \`image[]\` for each.`,
      ),
      images: imageInput.describe('Another name of `image`.'),
      mask: imageInput.describe(
        'Its fully transparent pixels are what may change; as large as the first input picture.',
      ),
      markup: imageInput.describe(
        'Notes and marks drawn over the first input picture, as a transparent PNG as large as it.',
      ),
      ...drawingFields,
    },
    { error: 'a JSON object' },
  )
  .meta({
    id: 'EditImages',
    example: {
      model: 'gesso-collage',
      prompt: 'make it a snowy night',
      images: [{ image_url: 'https://example.com/photo.png' }],
    },
  })
