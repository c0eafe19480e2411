/**
 * The provider seam: everything Gesso asks of an image provider, and nothing more.
 *
 * An adapter turns a `ProviderRequest` into its vendor's wire format and the vendor's answer into a
 * `ProviderOutcome`. It never fetches result URLs, never logs a prompt, never reads the environment, and
 * knows no database, ledger or HTTP server. What it could not do, it says as a `ProviderError`.
 */
import type { Readable } from 'node:stream'
import type { ProviderHttp } from './http.ts'
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
  /** A PNG whose transparent pixels are the area that may change. Same size as the first input picture. */
  mask?: InputImage
  /** How closely an edit keeps to its input: `low` or `high`. */
  inputFidelity?: string
  /** Asks for the provider's own visible label. */
  watermark?: boolean
  /** Asks for one coherent series of at most so many pictures instead of `n` single ones. */
  series?: { maxImages?: number }
  /** The wire dialect the model speaks where one provider has several, e.g. `gpt-image`. */
  dialect?: string
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

/** An opaque JSON note with which another process can go on asking for the same work. */
export type Operation = { readonly [key: string]: string | number | boolean | null }

export interface ProviderCompleted {
  status: 'completed'
  /** At least one, or at least one failure. Neither is a `ProviderError` with `upstream_invalid_response`. */
  images: ProviderImage[]
  failures?: ImageFailure[]
  usage?: TokenUsage
  /** What the provider said it charged, in micro-USD. */
  costMicros?: number
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

/** What an adapter can take as input pictures; Gesso converts what it cannot. */
export interface InputRules {
  /** Media types that go out as they are; anything else becomes a PNG. */
  mediaTypes: readonly InputMediaType[]
  /** Longest edge in pixels; larger pictures are scaled down. */
  maxEdge?: number
}

export interface Provider {
  readonly id: string
  /** Absent where the provider takes no input pictures. */
  readonly inputs?: InputRules
  /** Sends the work. Throws `ProviderError`. */
  start(request: ProviderRequest, signal: AbortSignal): Promise<ProviderOutcome>
  /** Asks for work sent earlier, maybe by another process. Throws `ProviderError` where it failed. */
  check?(operation: Operation, signal: AbortSignal): Promise<ProviderOutcome>
  /** Asks the provider to stop. Best effort: the work may still finish. */
  cancel?(operation: Operation, signal: AbortSignal): Promise<void>
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
}

/** The settings every provider has, from `gesso.yaml` and the environment. */
export interface ProviderSettings {
  apiKey?: string
  baseUrl?: string
  timeoutMs: number
  maxResponseBytes: number
}

/** A provider as the registry lists it: how it is configured and how it is made. */
export interface ProviderDefinition {
  readonly id: string
  /** As people write it: "OpenAI". */
  readonly title: string
  readonly environment: ProviderEnvironment
  readonly defaultBaseUrl?: string
  create(settings: ProviderSettings, dependencies: ProviderDependencies): Provider
}
