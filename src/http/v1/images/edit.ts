/** `POST /v1/images/edits`: pictures and a prompt in, changed pictures out; a form or JSON. */
import type { FastifyInstance } from 'fastify'
import { badRequest } from '../../../lib/errors.ts'
import { formToBody } from '../../drawing/form-to-body.ts'
import { repetitionHeaders } from '../../idempotency/headers.ts'
import { MultipartBody } from '../../multipart-body.ts'
import { parseBody } from '../../parse.ts'
import { readPreferences } from '../../prefer.ts'
import { errorResponses } from '../../schemas.ts'
import { type AnswerDependencies, answerBody } from './answer-body.ts'
import { editBody } from './edit-schema.ts'
import { drawnOrStreamed } from './generate-schema.ts'

export function editImages(server: FastifyInstance, dependencies: AnswerDependencies): void {
  server.post(
    '/v1/images/edits',
    {
      config: { access: 'images:write', multipart: true },
      schema: {
        operationId: 'editImages',
        summary: 'Edit images',
        description:
          'Changes one picture, or makes one of several, as the prompt says; with a mask only where its pixels are transparent. Takes `multipart/form-data` as well as JSON. A request that is sent again with the same `Idempotency-Key` header is made once.',
        tags: ['Images'],
        consumes: ['application/json', 'multipart/form-data'],
        headers: repetitionHeaders,
        body: editBody,
        response: { 200: drawnOrStreamed, ...errorResponses },
      },
    },
    async (request, reply) => {
      const preferences = readPreferences(request.headers.prefer)
      const raw = request.body instanceof MultipartBody ? formToBody(request.body) : request.body
      const { value, warnings } = parseBody(editBody, raw, preferences.handling)
      const { image, images, ...rest } = value
      const isAbsent = (one: unknown) => one === undefined || one === null
      if (!isAbsent(image) && !isAbsent(images)) {
        throw badRequest('images', 'image and images are two names of one field; send one.')
      }
      if (isAbsent(image) && isAbsent(images)) {
        throw badRequest('image', 'image is required: the picture to change, as a file of a form or in JSON.')
      }
      const imageName = isAbsent(images) ? 'image' : 'images'
      const parsed = {
        value: { ...rest, image: image ?? images },
        raw,
        warnings,
        preferences,
        imageName,
        events: 'image_edit' as const,
      }
      return answerBody(dependencies, { request, reply }, parsed)
    },
  )
}
