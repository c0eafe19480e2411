/**
 * The one suite that every provider passes: what the core relies on when it decides about money and retries.
 * A provider's own test file calls it with a small world around a fake upstream; what is special about the
 * vendor's wire format is tested there, not here.
 */
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it, type TestContext } from 'vitest'
import type { Attribution, ErrorCode } from '../../lib/errors.ts'
import type { Provider, ProviderCompleted, ProviderImage, ProviderRequest } from '../provider.ts'
import { type Dispatched, ProviderError } from '../provider-error.ts'

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

/** A fake upstream, as far as the suite needs it. Its errors should repeat prompt and key, to be caught. */
export interface ConformanceUpstream {
  play(scenario: UpstreamScenario): void | Promise<void>
  /** Calls so far that asked the vendor to make pictures. */
  submissions(): number
  /** Requests that reached the host a redirect points to. */
  foreignRequests(): number
}

/** A provider with all it needs, fresh for every test; deadline about 200 ms, `max_response_bytes` about 1 MB. */
export interface ConformanceWorld {
  provider: Provider
  /** A request that the provider takes, for one picture unless `overrides` says otherwise. */
  request(overrides?: Partial<ProviderRequest>): ProviderRequest
  /** `false` declares a provider that calls nobody; the tests about upstreams are then reported as skipped. */
  upstream: ConformanceUpstream | false
  /** The provider's key, which no error may show. */
  apiKey?: string
  /** Does the provider report the seed of each picture? */
  reportsSeed: boolean
  /** How many pictures one call can make. */
  maxImagesPerCall: number
  close(): Promise<void>
}

interface Verdict {
  code: ErrorCode
  attribution: Attribution
  dispatched: Dispatched
  retryable: boolean
}

const lost: Verdict = {
  code: 'upstream_invalid_response',
  attribution: 'upstream',
  dispatched: 'yes',
  retryable: false,
}
const declined: Verdict = {
  code: 'upstream_failed',
  attribution: 'platform',
  dispatched: 'no',
  retryable: false,
}

/** What each way to fail must be told as. */
const verdicts: Record<Exclude<UpstreamScenario, 'ok'>, Verdict> = {
  moderation: { code: 'moderation_blocked', attribution: 'client', dispatched: 'yes', retryable: false },
  '401': declined,
  '402': declined,
  '429': { code: 'rate_limit_exceeded', attribution: 'capacity', dispatched: 'no', retryable: true },
  '500': { code: 'upstream_failed', attribution: 'upstream', dispatched: 'yes', retryable: false },
  '503': { code: 'upstream_unavailable', attribution: 'upstream', dispatched: 'no', retryable: true },
  empty: lost,
  garbage: lost,
  truncated: lost,
  oversize: lost,
  silent: { code: 'outcome_unknown', attribution: 'upstream', dispatched: 'unknown', retryable: false },
  redirect: { code: 'upstream_failed', attribution: 'upstream', dispatched: 'no', retryable: false },
  refused: { code: 'upstream_unavailable', attribution: 'upstream', dispatched: 'no', retryable: true },
}

const prompt = 'a very particular heron with a brass telescope'

/** Declares the suite for one provider. `setup` runs before each test. */
export function describeProviderConformance(name: string, setup: () => Promise<ConformanceWorld>): void {
  describe(`${name} keeps the provider contract`, () => {
    let world: ConformanceWorld
    beforeEach(async () => {
      world = await setup()
    })
    afterEach(() => world.close())

    it('makes one picture that can be recognised', async () => {
      const outcome = await complete(world, { prompt })
      expect(outcome.images).toHaveLength(1)
      expect(outcome.failures ?? []).toEqual([])
      expect(await kindOf(outcome.images[0])).toMatch(/^(png|jpeg|webp)$/)
    })

    it('makes as many pictures as one call is asked for', async (test) => {
      if (world.maxImagesPerCall < 2) return test.skip('makes one picture per call')
      const outcome = await complete(world, { prompt, n: 2 })
      expect(outcome.images).toHaveLength(2)
      for (const image of outcome.images) expect(await kindOf(image)).toMatch(/^(png|jpeg|webp)$/)
    })

    it('reports the seed of each picture', async (test) => {
      if (!world.reportsSeed) return test.skip('does not report seeds')
      const n = Math.min(2, world.maxImagesPerCall)
      const outcome = await complete(world, { prompt, n, seed: 41 })
      expect(outcome.images.map((image) => image.seed)).toEqual([41, 42].slice(0, n))
    })

    it('asks the upstream once for one call', async (test) => {
      const upstream = upstreamOf(world, test)
      await complete(world, { prompt })
      expect(upstream.submissions()).toBe(1)
    })

    it('begins nothing for a caller who has already given up', async () => {
      const error = await failureOf(world, { prompt }, AbortSignal.abort())
      expect(error).toMatchObject({ dispatched: 'no', retryable: false })
      if (world.upstream) expect(world.upstream.submissions()).toBe(0)
    })

    it('calls the outcome unknown when the caller gives up on a request that was sent', async (test) => {
      const upstream = upstreamOf(world, test)
      await upstream.play('silent')
      const error = await failureOf(world, { prompt }, AbortSignal.timeout(50))
      expect(error).toMatchObject(verdicts.silent)
    })

    for (const [scenario, verdict] of Object.entries(verdicts) as [UpstreamScenario, Verdict][]) {
      it(`tells "${scenario}" as ${verdict.code}, after one try and without secrets`, async (test) => {
        const upstream = upstreamOf(world, test)
        await upstream.play(scenario)
        const error = await failureOf(world, { prompt })
        expect(error).toMatchObject(verdict)
        if (scenario === '429') expect(error.retryAfterMs).toBeGreaterThan(0)
        expect(upstream.submissions()).toBe(scenario === 'refused' ? 0 : 1)
        expect(upstream.foreignRequests()).toBe(0)
        expectNoSecrets(error, world)
      })
    }
  })
}

function upstreamOf(world: ConformanceWorld, test: TestContext): ConformanceUpstream {
  if (world.upstream) return world.upstream
  return test.skip('calls no upstream')
}

/** Starts the request and asks on until it is done. */
async function complete(
  world: ConformanceWorld,
  overrides: Partial<ProviderRequest>,
  signal: AbortSignal = AbortSignal.timeout(5_000),
): Promise<ProviderCompleted> {
  let outcome = await world.provider.start(world.request(overrides), signal)
  while (outcome.status === 'pending') {
    await new Promise((resolve) => setTimeout(resolve, 5))
    if (!world.provider.check) throw new Error('a provider that answers "pending" must be able to check')
    outcome = await world.provider.check(outcome.operation, signal)
  }
  return outcome
}

async function failureOf(
  world: ConformanceWorld,
  overrides: Partial<ProviderRequest>,
  signal?: AbortSignal,
): Promise<ProviderError> {
  const thrown = await complete(world, overrides, signal).then(
    () => new Error('it succeeded'),
    (error: unknown) => error,
  )
  expect(thrown).toBeInstanceOf(ProviderError)
  return thrown as ProviderError
}

/** Looks at all that a log could print of the error, causes included. */
function expectNoSecrets(error: ProviderError, world: ConformanceWorld): void {
  const printed = [inspect(error, { depth: 20, showHidden: true }), JSON.stringify(error), error.detail].join(
    '\n',
  )
  expect(printed).not.toContain(prompt)
  expect(printed).not.toMatch(/[A-Za-z0-9+]{100}/)
  if (world.apiKey) expect(printed).not.toContain(world.apiKey)
}

/** The format that the bytes say they are. A URL is fetched as Gesso would: without credentials. */
async function kindOf(image: ProviderImage | undefined): Promise<string> {
  if (!image) return 'nothing'
  const { source } = image
  const bytes =
    source.kind === 'bytes' ? source.bytes : Buffer.from(await (await fetch(source.url)).arrayBuffer())
  if (bytes.toString('latin1', 0, 8) === '\x89PNG\r\n\x1a\n') return 'png'
  if (bytes.toString('latin1', 0, 3) === '\xff\xd8\xff') return 'jpeg'
  if (bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP') return 'webp'
  return 'no picture'
}
