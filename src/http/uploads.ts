/**
 * Who owns the pictures that came with a request. They are the request's own and go when its answer has ended or its
 * connection broke, whatever happened in between; a route whose work outlives a hang-up takes them over. No file may
 * be without an owner.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Spool, SpooledFile } from '../inputs/spool.ts'

/** The files of one request. */
export interface Uploads extends AsyncDisposable {
  /** Makes the file the request's own. One that comes too late, because nobody is there any more, is removed. */
  add(file: SpooledFile): Promise<void>
  /** Spools bytes that are in hand, as the request's own; they must not change afterwards. Throws `queue_full`. */
  keep(bytes: Buffer): Promise<SpooledFile>
}

/** The files of one request, and who has to remove them. */
export class RequestUploads implements Uploads {
  readonly #spool: Spool
  #files: SpooledFile[] = []
  #isTaken = false
  #isOver = false

  constructor(spool: Spool) {
    this.#spool = spool
  }

  async add(file: SpooledFile): Promise<void> {
    if (this.#isOver) await file[Symbol.asyncDispose]()
    else this.#files.push(file)
  }

  async keep(bytes: Buffer): Promise<SpooledFile> {
    const file = await this.#spool.keep(bytes)
    await this.add(file)
    return file
  }

  take(): AsyncDisposable {
    if (this.#isOver) throw hangUp()
    if (this.#isTaken) throw new Error('the uploads of this request have been taken')
    this.#isTaken = true
    // A file that cannot be removed goes with the next start; it must not cost the picture that was made of it.
    return { [Symbol.asyncDispose]: () => this[Symbol.asyncDispose]().catch(() => undefined) }
  }

  /** The answer is out, or nobody waits for it. */
  async end(): Promise<void> {
    if (!this.#isTaken) await this[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    await using stack = new AsyncDisposableStack()
    for (const file of this.#files) stack.use(file)
    this.#files = []
  }
}

const uploadsByRequest = new WeakMap<FastifyRequest, RequestUploads>()

/** Watches every request that may have a body, so that its files go with it. */
export function ownUploads(server: FastifyInstance, spool: Spool): void {
  server.addHook('preParsing', async (request, reply, payload) => {
    if (request.method === 'GET' || request.method === 'HEAD') return payload
    const uploads = new RequestUploads(spool)
    uploadsByRequest.set(request, uploads)
    const end = () => {
      uploads
        .end()
        .catch((error) => request.log.error({ err: error }, 'an input picture could not be removed'))
    }
    // Comes after the last byte of the answer, and where the connection breaks before it.
    if (reply.raw.closed) end()
    else reply.raw.once('close', end)
    return payload
  })
}

/** The files of a request; one without a body has none yet. Throws for a GET, which cannot have any. */
export function uploadsOf(request: FastifyRequest): Uploads {
  return uploadsByRequest.get(request) ?? noUploads(request)
}

/**
 * Takes the files over, later ones included: they live until what is returned is disposed, which has to be when all
 * work with them is done. Throws where the client hung up already and they are gone; no work may be begun then.
 */
export function takeUploads(request: FastifyRequest): AsyncDisposable {
  return (uploadsByRequest.get(request) ?? noUploads(request)).take()
}

function noUploads(request: FastifyRequest): never {
  throw new Error(`${request.routeOptions.url} is no route that files could come to`)
}

/** Has the code by which the log knows that nobody failed. */
function hangUp(): Error {
  return Object.assign(new Error('the client hung up before its pictures were taken'), {
    code: 'ERR_STREAM_PREMATURE_CLOSE',
  })
}
