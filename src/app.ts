/**
 * The table of contents: every part of a running Gesso, built in reading order and disposed in reverse. Nothing
 * else imports a concrete implementation, and nothing happens when a module is imported.
 */
import { join } from 'node:path'
import type { Kysely } from 'kysely'
import { ensureDefaultAccount } from './accounts/ensure-default-account.ts'
import type { LoadedConfig } from './config/load-config.ts'
import { adminKey, prepareDataDirectory, previousSecrets, signingSecret } from './config/own-secrets.ts'
import { pendingMigrations } from './db/migrate.ts'
import { openConfiguredDatabase } from './db/open-configured-database.ts'
import type { Database } from './db/schema.ts'
import { offerModel } from './generation/choose-route.ts'
import type { GenerateContext } from './generation/context.ts'
import { estimate } from './generation/estimate.ts'
import { createGate, type Gate } from './generation/gate.ts'
import { generate } from './generation/generate.ts'
import type { Outcome, Repeated } from './generation/outcome.ts'
import { checkAllowed } from './generation/plan.ts'
import { replay } from './generation/replay.ts'
import type { GenerationRequest } from './generation/request.ts'
import { resume } from './generation/resume.ts'
import { listen, listeningUrl } from './http/listen.ts'
import { createServer } from './http/server.ts'
import { getImage, getImageForLink, getPermanentImage } from './images/get-image.ts'
import { createImageUrls } from './images/image-url.ts'
import { listBucket } from './images/list-bucket.ts'
import { createSpool } from './inputs/spool.ts'
import { sweepSpool } from './inputs/sweep-spool.ts'
import { type Caller, createAuthenticator } from './keys/authenticate.ts'
import { ensureFirstKey } from './keys/create-key.ts'
import { generateKey } from './keys/key-format.ts'
import { getBalance } from './ledger/get-balance.ts'
import { watchLedger } from './ledger/watch-ledger.ts'
import { type Clock, systemClock } from './lib/clock.ts'
import { createInbox } from './lib/inbox.ts'
import { repeat } from './lib/repeat.ts'
import type { Secret } from './lib/secret.ts'
import { defaultImageLimits, type ImageLimits } from './media/inspect-image.ts'
import { rasterise } from './media/rasterise.ts'
import { createCatalogue } from './models/catalogue.ts'
import { describeModel } from './models/describe-model.ts'
import type { Model } from './models/model.ts'
import { createGuardedFetch } from './net/guarded-fetch.ts'
import { createDiskStore } from './objects/disk.ts'
import type { ObjectStore } from './objects/object-store.ts'
import { createOperator } from './operator.ts'
import { openOptimizer } from './prompts/open-optimizer.ts'
import { readProviderKey } from './provider-keys/read-provider-key.ts'
import { resealProviderKeys } from './provider-keys/reseal-provider-keys.ts'
import { createKeyBox } from './provider-keys/seal-key.ts'
import { createProviderHttp } from './providers/http.ts'
import { openProviders } from './providers/open-providers.ts'
import { providerDefinitions } from './providers/registry.ts'
import { createTaskWaiter } from './tasks/await-tasks.ts'
import { forgetRepetitions } from './tasks/forget-repetitions.ts'
import { getFreeQuota } from './tasks/free-quota.ts'
import { getTask } from './tasks/get-task.ts'
import { createAnswerMarker } from './tasks/mark-answered.ts'
import { startNode } from './tasks/node.ts'
import { createEvents } from './telemetry/events.ts'
import { createLogger } from './telemetry/logger.ts'
import { summariseUsage } from './usage/summarise-usage.ts'

export interface App extends AsyncDisposable {
  /** Where clients reach it. */
  readonly publicUrl: string
  /** Where it listens, as this machine reaches it. */
  readonly address: string
  /** The key to start with, and whether this start made it. */
  readonly firstKey: { key: Secret; created: boolean }
  /** The models that work as things stand, and how many more a provider key would turn on. */
  readonly models: { available: string[]; unavailable: number }
  /** Which PostgreSQL holds the rows, in words. */
  readonly database: string
}

/**
 * Starts a whole Gesso, listening. Throws before it listens where anything is wrong. Disposal stops taking
 * requests, waits for running generations, then lets go of everything else. As a `tool` it works beside the server
 * of the same data directory.
 */
export async function openApp(
  loaded: LoadedConfig,
  options: { clock?: Clock; role?: 'server' | 'tool' } = {},
): Promise<App> {
  const { config } = loaded
  const clock = options.clock ?? systemClock
  await using stack = new AsyncDisposableStack()

  const logger = createLogger(config.log)
  const events = createEvents(logger)
  for (const warning of loaded.warnings) logger.warn(warning)

  prepareDataDirectory(config.data_dir, loaded.sourceOf(['data_dir']))
  const secret = signingSecret(config.data_dir, config.secret)
  const firstKey = config.admin_key
    ? { key: config.admin_key, created: false }
    : adminKey(config.data_dir, generateKey)

  const database = stack.use(
    await openConfiguredDatabase({
      settings: config.database,
      dataDir: config.data_dir,
      role: options.role ?? 'server',
      onNotice: (text) => logger.warn(text),
    }),
  )
  const { db } = database
  const accountId = await ensureDefaultAccount(db)
  const { isInForce } = await ensureFirstKey(db, firstKey.key.reveal(), {
    accountId,
    name: config.admin_key ? 'GESSO_ADMIN_KEY' : 'first key',
    scopes: ['admin'],
    origin: config.admin_key ? 'configured' : 'first',
    now: clock.now(),
    takesPlace: options.role !== 'tool',
  })
  if (!isInForce) {
    const which = config.admin_key ? 'GESSO_ADMIN_KEY' : 'the key in admin.key'
    logger.warn(`${which} is revoked, disabled or expired: gesso keys create --scopes admin makes another`)
  }

  const objects = createDiskStore({ directory: join(config.data_dir, 'objects') })
  await objects.sweepTemporary()
  const spoolDirectory = join(config.data_dir, 'spool')
  await sweepSpool(spoolDirectory)
  const spool = stack.use(
    createSpool({
      directory: spoolDirectory,
      memoryBytes: config.inputs.memory_bytes,
      budgetBytes: config.inputs.spool_bytes,
    }),
  )
  const guardedFetch = stack.use(createGuardedFetch({ allowPrivate: config.network.allow_private }))
  const http = stack.use(createProviderHttp())
  const providers = openProviders(providerDefinitions, config.providers, { http, rasterise })
  const optimizer = openOptimizer(config.optimizer, { http, openai: config.providers.openai })
  const previous = previousSecrets(config.data_dir, { current: secret, configured: config.previous_secret })
  const box = createKeyBox({ secret, previous })
  // A tool may have been called with another secret in its environment than the server's.
  if (options.role !== 'tool') events.providerKeysResealed(await resealProviderKeys(db, box))
  const catalogue = createCatalogue(config.models, config.prices)

  const gate = createGate(config.generation.concurrent)
  const resultTtlMs = config.images.result_ttl_seconds * 1_000
  const adopted = createInbox<string>()
  const node = stack.use(
    await startNode(db, {
      resultTtlMs,
      heartbeatEveryMs: config.tasks.heartbeat_ms,
      deadAfterMs: config.tasks.dead_after_ms,
      // A tool is gone in a moment, and may know other providers than the server that sent the work.
      adopts: () =>
        gate.closed || options.role === 'tool'
          ? undefined
          : {
              providers: providerDefinitions.map(({ id }) => id).filter((id) => providers.get(id)),
              ownKeyProviders: providerDefinitions
                .map(({ id }) => id)
                .filter((id) => providers.acceptsOwnKeys(id)),
              strangersAfterMs: config.generation.operation_timeout_ms,
            },
      onOrphans: (count) => logger.warn({ count }, 'tasks of a stopped process were ended'),
      onAdopted: (taskIds) => adopted.take(taskIds),
      onFailure: (error) => logger.warn({ err: error }, 'heartbeat failed'),
    }),
  )

  const answered = stack.use(createAnswerMarker(db, { clock, onFailure: events.choreFailed }))
  const waiter = stack.use(createTaskWaiter(db, { pollMs: 150 }))
  if (options.role !== 'tool') {
    stack.use(
      watchLedger(db, {
        everyMs: config.ledger.check_every_ms,
        onDiscrepancies: events.ledgerDisagrees,
        onFailure: events.choreFailed,
      }),
    )
    stack.use(
      repeat({
        everyMs: hourMs,
        work: () => forgetRepetitions(db, clock.now()),
        onFailure: events.choreFailed,
      }),
    )
  }

  // Asked when a link is made: the port may be known only after listening.
  let listening: string | undefined
  const publicUrl = () => config.server.public_url ?? listening ?? listeningUrl(server)
  const imageUrls = createImageUrls({ secret, publicUrl, ttlSeconds: config.images.url_ttl_seconds, clock })
  const authenticator = createAuthenticator({
    db,
    clock,
    defaultRequestsPerMinute: config.keys.requests_per_minute,
    configuredKey: config.admin_key,
  })

  const generation = {
    db,
    clock,
    nodeId: node.id,
    outcomes: node.outcomes,
    catalogue,
    providers,
    readProviderKey: (input: { accountId: string; provider: string }) => readProviderKey(db, box, input),
    optimizer,
    guardedFetch,
    spool,
    objects,
    events,
    resultTtlMs,
    defaultFreeImages: config.accounts.free_images,
    joinWindowMs: config.idempotency.join_sdk_retries ? config.idempotency.join_window_ms : undefined,
    idempotencyTtlMs: config.idempotency.ttl_seconds * 1_000,
    waitForTask: (taskId: string, signal: AbortSignal) => waiter.ended(taskId, signal),
    fanOut: config.generation.fan_out,
    operationTimeoutMs: config.generation.operation_timeout_ms,
    maxImageBytes: config.generation.max_image_bytes,
    inputs: {
      maxImageBytes: config.inputs.max_image_bytes,
      fetchTimeoutMs: config.inputs.fetch_timeout_ms,
      limits: limitPixels(config.inputs.max_megapixels),
    },
  }
  adopted.open((taskId) => {
    logger.info({ taskId }, 'the task of a stopped process is followed to its end')
    void gate.finish((signal) => resume(generation, taskId, signal))
  })
  // In two functions: who waits for an earlier request must not hold the pictures of this one.
  const begin = (context: GenerateContext, request: GenerationRequest) =>
    gate.run((signal) => generate(generation, context, request, signal))
  const outcomeOf = (context: GenerateContext, made: Outcome | Repeated) =>
    'repeats' in made ? gate.wait((signal) => replay(generation, context, made.repeats, signal)) : made
  const describe = (model: Model, caller: Caller) => {
    const offer = offerModel(providers, model, caller)
    return describeModel(offer.model, offer.isAvailable)
  }
  const server = await createServer(config.server, {
    authenticator,
    logger,
    generate: (context, request) => begin(context, request).then((made) => outcomeOf(context, made)),
    estimate: (caller, request) => estimate(generation, caller, request),
    joinsSdkRetries: config.idempotency.join_sdk_retries,
    markAnswered: (taskId) => answered.mark(taskId),
    markUnanswered: (taskId) => answered.unmark(taskId),
    getTask: (input) => getTask(db, input),
    getImage: (input) => getImage(db, input),
    getImageForLink: (imageId) => getImageForLink(db, imageId),
    getPermanentImage: (imageId) => getPermanentImage(db, imageId),
    listBucket: (input) => listBucket(db, input),
    getFreeQuota: (accountId) =>
      getFreeQuota(db, {
        accountId,
        now: clock.now(),
        defaultFreeImages: config.accounts.free_images,
      }),
    getBalance: (accountId) => getBalance(db, accountId),
    summariseUsage: (query) => summariseUsage(db, query),
    now: () => clock.now(),
    operator: createOperator({ db, clock, catalogue, providers, box }),
    listModels: (caller) =>
      catalogue
        .all()
        .filter(({ id }) => caller.models === null || caller.models.includes(id))
        .map((model) => describe(model, caller)),
    getModel: (id, caller) => {
      const model = catalogue.resolve(id)
      checkAllowed(caller, model)
      return describe(model, caller)
    },
    imageUrls,
    objects,
    spool,
    uploads: { maxImageBytes: config.inputs.max_image_bytes, maxImages: config.inputs.max_images },
    publicUrl,
    defaultResponseFormat: config.generation.response_format,
    notReady: () => reasonsNotReady(db, objects, gate),
  })

  stack.defer(async () => {
    await Promise.all([gate.close(config.server.stop_timeout_ms), server.close()])
  })
  await listen(server, config.server)
  // Remembered: a server that stops has no port any more, but pictures that are told of then have links.
  listening = listeningUrl(server)

  const available = catalogue
    .all()
    .filter((model) => offerModel(providers, model, { providerKeys: [] }).isAvailable)
  const owned = stack.move()
  return {
    publicUrl: publicUrl(),
    address: listeningUrl(server),
    firstKey,
    models: {
      available: available.map((model) => model.id),
      unavailable: catalogue.all().length - available.length,
    },
    database: database.description,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const hourMs = 3_600_000

/** AVIF takes twice the memory for a pixel. */
function limitPixels(megapixels: number): ImageLimits {
  const maxPixels = megapixels * 1_000_000
  const { maxFrames, maxEdge } = defaultImageLimits
  return {
    maxPixels: { png: maxPixels, jpeg: maxPixels, webp: maxPixels, gif: maxPixels, avif: maxPixels / 2 },
    maxEdge,
    maxFrames,
  }
}

/** What stands in the way of work, in words. Never asks a provider. */
async function reasonsNotReady(db: Kysely<Database>, objects: ObjectStore, gate: Gate): Promise<string[]> {
  const [migrations, storage] = await Promise.allSettled([pendingMigrations(db), objects.check()])
  const missing = migrations.status === 'fulfilled' ? migrations.value : []
  return [
    ...(gate.closed ? ['the server is stopping'] : []),
    ...(migrations.status === 'rejected' ? ['the database cannot be reached'] : []),
    ...(missing.length > 0 ? [`migrations are missing: ${missing.join(', ')}`] : []),
    ...(storage.status === 'rejected' ? ['the object store cannot be written'] : []),
  ]
}
