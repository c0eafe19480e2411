/**
 * The provider seam: everything Gesso asks of an image provider, and nothing more.
 *
 * An adapter turns a `ProviderRequest` into its vendor's wire format and the vendor's answer into a
 * `ProviderOutcome`. It never fetches result URLs, never logs a prompt, never reads the environment, and
 * knows no database, ledger or HTTP server. What it could not do, it says as a `ProviderError`.
 */
import type { Readable } from 'node:stream'
import type { z } from 'zod'
import type { ProviderHttp } from './http.ts'
import type { AnswerHeaders } from './http-exchange.ts'
import type { ProviderError } from './provider-error.ts'

/** The formats an input picture can be in. */
export type InputMediaType = 'image/png' | 'image/jpeg' | 'image/webp' | 'image/gif' | 'image/avif'

/**
 * An input picture: fetched, sniffed, bounded, upright and without metadata. It may lie on the disk, so that ten
 * large ones do not fill the memory; an adapter streams it where its wire format allows.
 */
export interface InputImage {
  readonly mediaType: InputMediaType
  readonly width: number
  readonly height: number
  readonly sizeBytes: number
  /** All bytes at once. */
  read(): Promise<Buffer>
  /** The bytes from their beginning, anew at each call. */
  stream(): Readable
}

/**
 * One call to a provider, in Gesso's words. Fields that the model does not support never get here: the
 * capability table in `models/` has refused, converted or dropped them with a warning.
 */
export interface ProviderRequest {
  /** The task this call serves, for the adapter's own idempotency keys. */
  taskId: string
  /** The model in the provider's own words. */
  model: string
  prompt: string
  /** How many pictures this one call makes. */
  n: number
  /** Absent means the provider chooses ("auto"). */
  size?: { width: number; height: number }
  /** `W:H`, for models that take ratios; where one takes sizes, Gesso has made a size of it. */
  aspectRatio?: string
  /** Resolution class, for models that take one: `512`, `1K`, `2K`, `4K`, `optimize_for_quality`, `optimize_for_speed`. */
  imageSize?: string
  quality?: string
  style?: string
  background?: 'transparent' | 'opaque' | 'auto'
  moderation?: string
  /** How much thought goes into the picture before it is drawn, whatever its quality: `low`, `medium`, `high`. */
  complexity?: string
  outputFormat?: 'png' | 'jpeg' | 'webp' | 'avif'
  /** 0–100, jpeg, webp and avif only; higher is better. */
  outputCompression?: number
  /** Seed of the first picture; picture k uses `seed + k`. */
  seed?: number
  negativePrompt?: string
  /** How closely the prompt is followed. */
  guidance?: number
  /** Denoising steps. */
  steps?: number
  /** 0–1: how far the result may depart from the first input picture. */
  strength?: number
  /** Faster where the provider can, at some cost in quality. */
  goFast?: boolean
  disableSafetyChecker?: boolean
  /** LoRA weights by name or https URL, with their scale; further ones pairwise. */
  loraWeights?: string
  loraScale?: number
  extraLoraWeights?: readonly string[]
  extraLoraScale?: readonly number[]
  /** Who the end user is, as an opaque string. */
  safetyIdentifier?: string
  /** Input pictures; any makes the call an edit. */
  images?: readonly InputImage[]
  /**
   * A PNG whose transparent pixels (or white ones, as `InputRules.mask` says) are the area that may change. Same size as
   * the first input picture.
   */
  mask?: InputImage
  /** A PNG with notes and marks, laid over the first input picture and as large as it: what to change, drawn by hand. */
  markup?: InputImage
  /** How closely an edit keeps to its input: `low` or `high`. */
  inputFidelity?: string
  /** Asks for the provider's own visible label. */
  watermark?: boolean
  /** Asks for one coherent series of at most so many pictures instead of `n` single ones. */
  series?: { maxImages?: number }
  /** The wire dialect the model speaks where one provider has several, e.g. `gpt-image`. */
  dialect?: string
  /** Where the vendor may tell that the work has ended; only for providers that can read such a message. */
  webhookUrl?: string
}

/** Where a finished picture is. URLs are downloaded by Gesso, at once and without credentials. */
export type ProviderImageSource =
  | { kind: 'bytes'; bytes: Buffer }
  | {
      kind: 'url'
      url: string /** The provider's own host is private, so its URLs may be too. */
      trusted: boolean
    }

export interface ProviderImage {
  source: ProviderImageSource
  /** Which of the pictures asked for it is, from 0; absent: as it stands in the list. */
  position?: number
  revisedPrompt?: string
  seed?: number
}

/** A picture that the provider owed and did not make, inside an answer that has others. */
export interface ImageFailure {
  error: ProviderError
}

/** Tokens as the provider reported them. */
export interface TokenUsage {
  inputTokens?: number
  outputTokens?: number
  totalTokens?: number
  inputTokensDetails?: { textTokens?: number; imageTokens?: number; cachedTokens?: number }
  outputTokensDetails?: { textTokens?: number; imageTokens?: number }
}

/**
 * A JSON note with which another process can go on asking for the same work. Opaque but for `id`, the vendor's own id
 * of the work. Holds no key, no prompt and no picture.
 */
export type Operation = { readonly id: string } & {
  readonly [key: string]: string | number | boolean | null
}

export interface ProviderCompleted {
  status: 'completed'
  /** At least one, or at least one failure. Neither is a `ProviderError` with `upstream_invalid_response`. */
  images: ProviderImage[]
  failures?: ImageFailure[]
  usage?: TokenUsage
  /** What the provider said it charged, in micro-USD. */
  costMicros?: number
  /** How long the provider said it worked, in seconds: what it charges by where a model costs by time. */
  seconds?: number
  /** The values the provider says it used, where it says so. */
  effective?: { size?: string; quality?: string; background?: string }
  /** The vendor's own id of the request, for support tickets. */
  upstreamRequestId?: string
}

export interface ProviderPending {
  status: 'pending'
  operation: Operation
  /** When it is worth asking again, in milliseconds from now. */
  checkAfterMs: number
  /** 0–1 where the provider reports it. */
  progress?: number
}

export type ProviderOutcome = ProviderCompleted | ProviderPending

/** A picture that is not finished yet, on its way to whoever watches. */
export interface PartialPicture {
  /** Which of the pictures of this call, from 0. */
  position: number
  /** Which of its stages, from 0. */
  index: number
  bytes: Buffer
}

export interface Watching {
  /** How many stages of each picture are wished for, 1–3. More or fewer may come. */
  partialImages: number
  /** Told as they come; never waits, so a slow watcher does not hold up the provider. */
  onPartial(partial: PartialPicture): void
}

/** A message that came to `webhookUrl`, word for word. */
export interface ProviderWebhook {
  headers: AnswerHeaders
  body: Buffer
}

/** What an adapter can take as input pictures; Gesso converts what it cannot. */
export interface InputRules {
  /** Media types that go out as they are; anything else becomes a PNG. */
  mediaTypes: readonly InputMediaType[]
  /** Longest edge in pixels; larger pictures are scaled down. */
  maxEdge?: number
  /**
   * How a mask says what may change: by transparent pixels (`alpha`, the default), or as an opaque picture, by white ones
   * on black (`white`).
   */
  mask?: 'alpha' | 'white'
}

export interface Provider {
  readonly id: string
  /** Absent where the provider takes no input pictures. */
  readonly inputs?: InputRules
  /** Sends the work. Throws `ProviderError`. */
  start(request: ProviderRequest, signal: AbortSignal): Promise<ProviderOutcome>
  /**
   * The same as `start` for someone who watches the picture come into being. Present where the vendor shows unfinished
   * pictures.
   */
  stream?(request: ProviderRequest, watching: Watching, signal: AbortSignal): Promise<ProviderOutcome>
  /**
   * Asks for work sent earlier, maybe by another process. Throws `ProviderError`: `retryable` where only the asking
   * failed and the work may go on, else because the work itself failed. `withhold` are texts of the request that no
   * excerpt may repeat.
   */
  check?(operation: Operation, signal: AbortSignal, withhold?: readonly string[]): Promise<ProviderOutcome>
  /** Asks the provider to stop. Best effort: the work may still finish. */
  cancel?(operation: Operation, signal: AbortSignal): Promise<void>
  /**
   * Checks the signature of a message of the vendor and answers the id of the operation it is about, so that the core
   * asks for it at once. The rest of the message is not believed. Throws `ProviderError` for a message that is not the
   * vendor's.
   */
  readWebhook?(webhook: ProviderWebhook, signal: AbortSignal): Promise<Pick<Operation, 'id'>>
  /**
   * Asks something that costs nothing and needs the key; returns where the vendor takes it. Throws `ProviderError`:
   * `upstream_failed`, not `retryable`, where it refused the key; `upstream_invalid_response` where its answer says
   * nothing about the key; else it could not be asked now. Absent where the vendor has no such question.
   */
  checkKey?(signal: AbortSignal): Promise<void>
}

/** What an adapter may use of the house. */
export interface ProviderDependencies {
  /** Bounded, redirect-free HTTP towards the provider's own host. */
  http: ProviderHttp
  /** Draws SVG to PNG bytes of exactly this size. */
  rasterise(svg: string, size: { width: number; height: number }): Promise<Buffer>
}

/** The environment variables that turn a provider on and move it. */
export interface ProviderEnvironment {
  /** The vendor's own name for the key; absent for providers that need none. */
  apiKey?: string
  /** The variable that moves the provider; its value includes the version path. */
  baseUrl?: string
  /** Further variables, by the name of the option they set. */
  options?: Readonly<Record<string, string>>
}

/** The settings every provider has, from `gesso.yaml` and the environment. */
export interface ProviderSettings {
  apiKey?: string
  baseUrl?: string
  timeoutMs: number
  maxResponseBytes: number
  /** What the definition's own `options` made of their part of `gesso.yaml`. */
  options?: Readonly<Record<string, unknown>>
}

/** A provider as the registry lists it: how it is configured and how it is made. */
export interface ProviderDefinition {
  readonly id: string
  /** As people write it: "OpenAI". */
  readonly title: string
  readonly environment: ProviderEnvironment
  /** Absent where every account has an address of its own: the provider is on once key and address are there. */
  readonly defaultBaseUrl?: string
  /** The words for `dialect`, the usual one first; absent where the provider has one only. */
  readonly dialects?: readonly string[]
  /** How many pictures one call makes of a model that nobody says more of; 10 where this is absent. */
  readonly imagesPerCall?: number
  /** Settings that only this provider has, beside those that all have. */
  readonly options?: Readonly<Record<string, z.ZodType>>
  create(settings: ProviderSettings, dependencies: ProviderDependencies): Provider
}
