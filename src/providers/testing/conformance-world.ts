/** What a provider's test file gives to the conformance suite: a small world around a fake upstream. */
import type { Provider, ProviderRequest } from '../provider.ts'

/** How a fake upstream can behave. Numbers are HTTP statuses with the vendor's own body. */
export type UpstreamScenario =
  | 'ok'
  | 'moderation'
  | '401'
  /** The account at the vendor has no money or quota left, in the vendor's own status. */
  | '402'
  | '429'
  | '500'
  | '503'
  /** Success, and no picture in it. */
  | 'empty'
  /** Success, and not the vendor's format. */
  | 'garbage'
  /** Success, cut in the middle of the body. */
  | 'truncated'
  /** Takes the request and never answers. */
  | 'silent'
  /** Success, and more bytes than the provider may send. */
  | 'oversize'
  /** Points to another host, which counts what reaches it. */
  | 'redirect'
  /** Nobody listens. */
  | 'refused'

/** How a fake upstream can treat work that it has accepted. For vendors that answer at once, most mean nothing. */
export type WorkScenario =
  /** Of several pictures the last one fails, and the others are delivered. */
  | 'partial'
  /** Work that is accepted now stays unfinished until the next `play`. */
  | 'pending'
  /** The work is in a state whose name nobody knows, and then goes on as ever. */
  | 'strange status'
  /** The first two questions about the work are answered with a 503 and a 429, and then the work is done. */
  | 'poll trouble'
  /** The work is accepted and then fails, for no reason that the caller could have avoided. */
  | 'failed work'
  /** The addresses of the pictures lead nowhere any more. */
  | 'expired'

/** A fake upstream, as far as the suite needs it. Its errors should repeat prompt and key, to be caught. */
export interface ConformanceUpstream {
  play(scenario: UpstreamScenario | WorkScenario): void | Promise<void>
  /** Calls so far that asked the vendor to make pictures. */
  submissions(): number
  /** How often the vendor was asked to stop work that it had accepted. */
  cancellations?(): number
  /** Requests that reached the host a redirect points to. */
  foreignRequests(): number
  /** The latest of those calls, in any form in which equal calls are equal as JSON. */
  lastSubmission(): unknown
  /** SHA-256 in hex of the pictures that arrived with it. */
  lastInputs(): { images: string[]; mask?: string }
}

/** A provider with all it needs, fresh for every test; deadline of a second at most, `max_response_bytes` about 1 MB. */
export interface ConformanceWorld {
  provider: Provider
  /** The same provider as a fresh process would have it; for those that can `check`. */
  reopen?(): Provider
  /** A request that the provider takes, for one picture unless `overrides` says otherwise. */
  request(overrides?: Partial<ProviderRequest>): ProviderRequest
  /** `false` declares a provider that calls nobody; the tests about upstreams are then reported as skipped. */
  upstream: ConformanceUpstream | false
  /** The provider's key, which no error may show. */
  apiKey?: string
  /** The same provider with another key; for those that can say whether a key is taken. */
  withKey?(apiKey: string): Provider
  /** Does the provider report the seed of each picture? */
  reportsSeed: boolean
  /** How many pictures one call can make. */
  maxImagesPerCall: number
  /** Can a part of one call's pictures fail beside the others? */
  failsPartly?: boolean
  close(): Promise<void>
}
