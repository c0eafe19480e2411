/** `POST /v1/images/variations`: one picture in, others like it out. No model of today varies; an edit does it. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { badRequest } from '../../../lib/errors.ts'
import { formToBody } from '../../drawing/form-to-body.ts'
import {
  imageInput,
  modelField,
  nField,
  responseFormatField,
  sizeField,
  userFields,
} from '../../drawing/image-fields.ts'
import { repetitionHeaders } from '../../idempotency/headers.ts'
import { MultipartBody } from '../../multipart-body.ts'
import { parseBody } from '../../parse.ts'
import { readPreferences } from '../../prefer.ts'
import { errorResponses } from '../../schemas.ts'
import { type AnswerDependencies, answerBody } from './answer-body.ts'
import { generateAnswer } from './generate-schema.ts'

/** What the edit is told. */
const variationPrompt =
  'A variation of this picture: the same subject, style, palette and mood, with other details and a slightly different composition.'

/** What OpenAI's clients mean when they name no model. */
const defaultModel = 'dall-e-2'

const varyBody = z
  .strictObject(
    {
      image: imageInput.describe('The picture to vary, as a file of the form.'),
      model: modelField.describe(`Default: the key’s, else ${defaultModel}.`),
      n: nField,
      size: sizeField,
      response_format: responseFormatField,
      ...userFields,
    },
    { error: 'a form' },
  )
  .meta({ id: 'VaryImages' })

export function varyImages(server: FastifyInstance, dependencies: AnswerDependencies): void {
  server.post(
    '/v1/images/variations',
    {
      config: { access: 'images:write', multipart: true },
      schema: {
        operationId: 'varyImages',
        summary: 'Vary an image',
        description:
          'Makes pictures like the one that is sent (`multipart/form-data`, or JSON). It is an edit with a prompt of its own, for every model that edits. A request that is sent again with the same `Idempotency-Key` header is made once.',
        tags: ['Images'],
        consumes: ['multipart/form-data', 'application/json'],
        headers: repetitionHeaders,
        body: varyBody,
        response: { 200: generateAnswer, ...errorResponses },
      },
    },
    async (request, reply) => {
      const preferences = readPreferences(request.headers.prefer)
      const raw = request.body instanceof MultipartBody ? formToBody(request.body) : request.body
      const { value, warnings } = parseBody(varyBody, raw, preferences.handling)
      if (value.image === undefined || value.image === null) {
        throw badRequest('image', 'image is required: the picture to vary, as a file of a form or in JSON.')
      }
      const parsed = {
        value: { ...value, prompt: variationPrompt },
        raw,
        warnings,
        preferences,
        defaultModel,
      }
      return answerBody(dependencies, { request, reply }, parsed)
    },
  )
}
