/** `POST /aliyun/v1/images/generations`: Aliyun's own body, answered in OpenAI's shape. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { repetitionHeaders } from '../../../idempotency/headers.ts'
import { readPreferences } from '../../../prefer.ts'
import { errorResponses } from '../../../schemas.ts'
import { type AnswerDependencies, answerBody } from '../../../v1/images/answer-body.ts'
import { estimateAnswer, generateAnswer } from '../../../v1/images/generate-schema.ts'
import { aliyunBody, parseAliyunBody } from './aliyun-body.ts'

export function generateImagesAliyun(server: FastifyInstance, dependencies: AnswerDependencies): void {
  server.post(
    '/aliyun/v1/images/generations',
    {
      config: { access: 'images:write' },
      schema: {
        operationId: 'generateImagesAliyun',
        summary: 'Generate images from an Aliyun body',
        description:
          'For clients that write `input` and `parameters` as Model Studio takes them. A body with an `input` object is understood on `/v1/images/generations` too. A request that is sent again with the same `Idempotency-Key` header is made once.',
        tags: ['Images'],
        headers: repetitionHeaders,
        body: aliyunBody,
        response: { 200: z.union([generateAnswer, estimateAnswer]), ...errorResponses },
      },
    },
    async (request, reply) => {
      const preferences = readPreferences(request.headers.prefer)
      const parsed = parseAliyunBody(request.body, preferences.handling)
      return answerBody(dependencies, { request, reply }, { ...parsed, raw: request.body, preferences })
    },
  )
}
