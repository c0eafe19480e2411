/** `POST /v1/images/generations`: a prompt in, pictures out, in OpenAI's shape. */
import type { FastifyInstance } from 'fastify'
import { isAliyunBody, parseAliyunBody } from '../../aliyun/v1/images/aliyun-body.ts'
import { repetitionHeaders } from '../../idempotency/headers.ts'
import { parseBody } from '../../parse.ts'
import { readPreferences } from '../../prefer.ts'
import { errorResponses } from '../../schemas.ts'
import { type AnswerDependencies, answerBody } from './answer-body.ts'
import { drawnOrStreamed, generateBody } from './generate-schema.ts'

export function generateImages(server: FastifyInstance, dependencies: AnswerDependencies): void {
  server.post(
    '/v1/images/generations',
    {
      config: { access: 'images:write' },
      schema: {
        operationId: 'generateImages',
        summary: 'Generate images',
        description:
          'Makes pictures from a prompt and answers when they are kept. With `image` it changes that picture instead. Every call is a task: if its answer never reaches you, get it again by the id in the `x-gesso-task-id` header. A field that the model cannot honour is an error or a warning, never silence; `Prefer: handling=strict` or `handling=lenient` shifts the border. A request that is sent again with the same `Idempotency-Key` header is made once.',
        tags: ['Images'],
        headers: repetitionHeaders,
        body: generateBody,
        response: { 200: drawnOrStreamed, ...errorResponses },
      },
    },
    async (request, reply) => {
      const preferences = readPreferences(request.headers.prefer)
      const parsed = isAliyunBody(request.body)
        ? parseAliyunBody(request.body, preferences.handling)
        : parseBody(generateBody, request.body, preferences.handling)
      return answerBody(dependencies, { request, reply }, { ...parsed, raw: request.body, preferences })
    },
  )
}
