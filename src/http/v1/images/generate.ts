/** `POST /v1/images/generations`: a prompt in, pictures out, in OpenAI's shape. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { RateLimitError } from '../../../generation/admit.ts'
import type { GenerateContext } from '../../../generation/context.ts'
import type { Outcome } from '../../../generation/outcome.ts'
import type { GenerationRequest } from '../../../generation/request.ts'
import type { ImageUrls } from '../../../images/image-url.ts'
import { badRequest } from '../../../lib/errors.ts'
import type { RateState } from '../../../tasks/admit-task.ts'
import type { Task, TaskResult } from '../../../tasks/task.ts'
import { callerOf } from '../../auth.ts'
import { parseBody } from '../../parse.ts'
import { readPreferences } from '../../prefer.ts'
import { errorResponses } from '../../schemas.ts'
import { streamJson } from '../../stream-json.ts'
import { generateAnswer, generateBody, toGenerationRequest } from './generate-schema.ts'
import { presentAsBase64, presentAsUrl, presentImages, type ResponseFormat } from './present-images.ts'

export interface GenerateRouteDependencies {
  generate(context: GenerateContext, request: GenerationRequest): Promise<Outcome>
  imageUrls: ImageUrls
  /** For callers that name none. */
  defaultResponseFormat: ResponseFormat
}

export function generateImages(server: FastifyInstance, dependencies: GenerateRouteDependencies): void {
  server.post(
    '/v1/images/generations',
    {
      config: { access: 'images:write' },
      schema: {
        operationId: 'generateImages',
        summary: 'Generate images',
        description:
          'Makes pictures from a prompt and answers when they are kept. Every call is a task: if its answer never reaches you, get it again by the id in the `x-gesso-task-id` header. A field that the model cannot honour is an error or a warning, never silence; `Prefer: handling=strict` or `handling=lenient` shifts the border.',
        tags: ['Images'],
        body: generateBody,
        response: { 200: generateAnswer, ...errorResponses },
      },
    },
    async (request, reply) => {
      refuseIdempotencyKey(request)
      const { handling, applied } = readPreferences(request.headers.prefer)
      const { value: body, warnings } = parseBody(generateBody, request.body, handling)
      // What was sent beside the known fields must not stay in memory while the pictures are made.
      request.body = undefined
      const context: GenerateContext = {
        caller: callerOf(request),
        requestId: request.id,
        onAdmitted: ({ taskId, rate }) => {
          reply.header('x-gesso-task-id', taskId)
          setRateHeaders(reply, rate)
        },
      }
      const outcome = await dependencies
        .generate(context, toGenerationRequest(body, handling, warnings))
        .catch((error) => {
          if (error instanceof RateLimitError) setRateHeaders(reply, error.rate)
          throw error
        })

      const format = body.response_format ?? defaultFormat(request, dependencies.defaultResponseFormat)
      const task = outcome.task as Task & { result: TaskResult }
      const data = outcome.pictures.map((picture) =>
        format === 'b64_json' ? presentAsBase64(picture) : presentAsUrl(picture, dependencies.imageUrls),
      )
      reply.header('x-gesso-cost-micros', task.result.cost.micros)
      if (applied) reply.header('preference-applied', applied)

      const { stream, contentLength } = streamJson(presentImages(task, data))
      return reply
        .type('application/json; charset=utf-8')
        .header('content-length', contentLength)
        .send(stream)
    },
  )
}

/** The AI SDK reads only base64, whatever it asked for. */
function defaultFormat(request: FastifyRequest, serverDefault: ResponseFormat): ResponseFormat {
  return request.headers['user-agent']?.includes('ai-sdk/') ? 'b64_json' : serverDefault
}

/** Ignoring the header could make its sender pay twice in good faith. */
function refuseIdempotencyKey(request: FastifyRequest): void {
  if (request.headers['idempotency-key'] === undefined) return
  throw badRequest(
    'Idempotency-Key',
    'The Idempotency-Key header is not supported by this version of Gesso; send the request without it.',
    'unsupported_parameter',
  )
}

function setRateHeaders(reply: FastifyReply, rate: RateState): void {
  reply.header('x-ratelimit-limit-requests', rate.limit)
  reply.header('x-ratelimit-remaining-requests', rate.remaining)
  reply.header('x-ratelimit-reset-requests', `${Math.ceil(rate.resetMs / 100) / 10}s`)
}
