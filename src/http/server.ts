/**
 * The HTTP server: every route it has, in one list, behind one set of rules for errors, bounds and logging.
 */
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify'
import type { Authenticator } from '../keys/authenticate.ts'
import { badRequest, GessoError } from '../lib/errors.ts'
import { createId } from '../lib/ids.ts'
import { type AdminDependencies, admin } from './admin/v1/admin.ts'
import { generateImagesAliyun } from './aliyun/v1/images/generate.ts'
import { type GenerateIntoBucketDependencies, generateIntoBucket } from './api-v1/images/generate.ts'
import { type ListBucketDependencies, listBucket } from './api-v1/images/list.ts'
import { requireAuthentication } from './auth.ts'
import { continueLazily, createNodeServer, endConnections } from './connections.ts'
import { documentation } from './documentation.ts'
import { toHttpError } from './errors.ts'
import { createEventBuffer, type EventStreamOptions } from './event-stream.ts'
import { type HealthDependencies, health } from './health.ts'
import { type HostedImagesDependencies, hostedImages } from './hosted-images.ts'
import { type PermanentImagesDependencies, permanentImages } from './permanent-images.ts'
import { type BodyBounds, readBodies } from './request-body.ts'
import type { HttpSettings } from './settings.ts'
import { cutOffSlowReaders } from './slow-readers.ts'
import { type BalanceDependencies, getBalance } from './v1/billing/get-balance.ts'
import type { AnswerDependencies } from './v1/images/answer-body.ts'
import { editImages } from './v1/images/edit.ts'
import { generateImages } from './v1/images/generate.ts'
import { type GetImageDependencies, getImage } from './v1/images/get-image.ts'
import { type GetTaskDependencies, getTask } from './v1/images/get-task.ts'
import { varyImages } from './v1/images/vary.ts'
import { type ModelsDependencies, models } from './v1/models/list-models.ts'
import { getUsage, type UsageDependencies } from './v1/usage/get-usage.ts'

export type HttpDependencies = Omit<AnswerDependencies, 'events'> &
  GenerateIntoBucketDependencies &
  ListBucketDependencies &
  GetTaskDependencies &
  GetImageDependencies &
  ModelsDependencies &
  BalanceDependencies &
  UsageDependencies &
  HostedImagesDependencies &
  PermanentImagesDependencies &
  HealthDependencies &
  Pick<BodyBounds, 'spool' | 'uploads'> & {
    authenticator: Authenticator
    logger: FastifyBaseLogger
    operator: AdminDependencies
  }

/** 16 kB/s: slower than any network that a picture is meant for. */
const readingBytesPerSecond = 16 * 1024

/** Pictures go out as base64. */
const base64Growth = 4 / 3

function eventStreams(settings: HttpSettings): EventStreamOptions {
  const { write_timeout_ms: stallTimeoutMs, stream_comment_ms: commentEveryMs } = settings
  return {
    // A stream that is silent for longer than a client may stand still would be cut off as one that is not read.
    commentEveryMs: Math.min(commentEveryMs, stallTimeoutMs / 2),
    buffer: createEventBuffer(settings.stream_buffer_bytes),
    patienceMs: (bytes) => stallTimeoutMs + ((bytes * base64Growth) / readingBytesPerSecond) * 1_000,
  }
}

/** Builds the server with all its routes; it does not listen yet. */
export async function createServer(
  settings: HttpSettings,
  dependencies: HttpDependencies,
): Promise<FastifyInstance> {
  const server: FastifyInstance = Fastify({
    loggerInstance: dependencies.logger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: () => createId('req'),
    bodyLimit: settings.body_limit_bytes,
    serverFactory: (handler) => createNodeServer(settings, handler),
    // The factory's own listener has answered, whichever address the connection came in by.
    clientErrorHandler: () => undefined,
    forceCloseConnections: 'idle',
    // While stopping, the gate refuses new work in the usual error shape.
    return503OnClosing: false,
    exposeHeadRoutes: true,
    routerOptions: { maxParamLength: 300 },
    frameworkErrors: (error, request, reply) => {
      const { status, headers, body } = toHttpError(error, request.id)
      reply.raw.writeHead(status, {
        ...headers,
        'x-request-id': request.id,
        'content-type': 'application/json; charset=utf-8',
        connection: 'close',
      })
      reply.raw.end(JSON.stringify(body))
    },
  })

  server.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
    refuseBeforeReading(request)
  })
  requireAuthentication(server, dependencies.authenticator)
  readBodies(server, {
    limitBytes: settings.body_limit_bytes,
    budgetBytes: settings.body_budget_bytes,
    spool: dependencies.spool,
    uploads: dependencies.uploads,
  })
  continueLazily(server)
  cutOffSlowReaders(server, {
    stallTimeoutMs: settings.write_timeout_ms,
    bytesPerSecond: readingBytesPerSecond,
  })
  endConnections(server, settings)
  answerErrors(server)
  logRequests(server)

  await documentation(server, dependencies)
  const answers = { ...dependencies, events: eventStreams(settings) }
  generateImages(server, answers)
  editImages(server, answers)
  varyImages(server, answers)
  generateImagesAliyun(server, answers)
  generateIntoBucket(server, dependencies)
  listBucket(server, dependencies)
  getTask(server, dependencies)
  getImage(server, dependencies)
  models(server, dependencies)
  getBalance(server, dependencies)
  getUsage(server, dependencies)
  admin(server, dependencies.operator)
  hostedImages(server, dependencies)
  permanentImages(server, dependencies)
  health(server, dependencies)
  return server
}

/** What needs no body to be refused is refused before one is read. */
function refuseBeforeReading(request: FastifyRequest): void {
  if (request.raw.httpVersion === '1.1' && request.headers.host === undefined) {
    throw badRequest('Host', 'The Host header is missing; HTTP/1.1 requires it.')
  }
  if (request.is404) throw routeNotFound(request)
}

function routeNotFound(request: FastifyRequest): GessoError {
  return new GessoError({
    code: 'route_not_found',
    attribution: 'client',
    message: `There is no ${request.method} ${request.url.split('?')[0]?.slice(0, 200)} here. The operations are listed at /docs.`,
  })
}

function answerErrors(server: FastifyInstance): void {
  server.setErrorHandler((error, request, reply) => {
    const { status, headers, body } = toHttpError(error, request.id)
    if (isHangUp(error, reply)) request.log.info(lineOf(request, reply), 'the client hung up')
    // A provider's failure has its own line; this one is about Gesso.
    else if (!(error instanceof GessoError) && status >= 500)
      request.log.error({ code: body.error.code, err: error }, 'request failed')
    return reply.removeHeader('cache-control').code(status).headers(headers).send(body)
  })
  server.setNotFoundHandler({ preHandler: undefined }, (request) => {
    throw routeNotFound(request)
  })
}

/** An answer whose client went away before it began ends as an error of its stream, which is nobody's fault. */
function isHangUp(error: unknown, reply: FastifyReply): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return reply.raw.destroyed && code === 'ERR_STREAM_PREMATURE_CLOSE'
}

/** One line per request. */
function logRequests(server: FastifyInstance): void {
  server.addHook('onResponse', async (request, reply) => {
    if (request.routeOptions.logLevel === 'silent') return
    request.log.info({ ...lineOf(request, reply), status: reply.statusCode }, 'request')
  })
}

/** What the log says of a request: never the query (it may hold a signature), a header or a body. */
function lineOf(request: FastifyRequest, reply: FastifyReply): object {
  return {
    method: request.method,
    path: request.url.split('?')[0]?.slice(0, 300),
    durationMs: Math.round(reply.elapsedTime * 10) / 10,
    taskId: reply.getHeader('x-gesso-task-id'),
  }
}
