/**
 * The one suite that every provider passes: what the core relies on when it decides about money and retries.
 * A provider's own test file calls it with a small world around a fake upstream; what is special about the
 * vendor's wire format is tested there, not here.
 */
import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it, type TestContext } from 'vitest'
import type { Attribution, ErrorCode } from '../../lib/errors.ts'
import type { Provider, ProviderCompleted, ProviderImage, ProviderRequest } from '../provider.ts'
import { type Dispatched, ProviderError } from '../provider-error.ts'
import { openSampleInputs, type SampleInputs } from './sample-inputs.ts'
import { sampleWishes, type Wish } from './sample-wishes.ts'

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
  /** The latest of those calls, in any form in which equal calls are equal as JSON. */
  lastSubmission(): unknown
  /** SHA-256 in hex of the pictures that arrived with it. */
  lastInputs(): { images: string[]; mask?: string }
}

/** A provider with all it needs, fresh for every test; deadline of a second at most, `max_response_bytes` about 1 MB. */
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

    describe('edits', () => {
      let inputs: SampleInputs
      beforeEach(async () => {
        inputs = await openSampleInputs()
      })

      it('takes every kind of picture it claims to take, unchanged and in order, or none at all', async () => {
        const { provider, upstream } = world
        const mediaTypes = provider.inputs?.mediaTypes ?? []
        const images = mediaTypes.map((mediaType) => inputs.picture(mediaType))
        if (images.length === 0) {
          const error = await failureOf(world, { prompt, images: [inputs.picture('image/png')] })
          return expectRefusal(error)
        }
        for (const some of [...images.map((image) => [image]), images]) {
          const outcome = await complete(world, { prompt, images: some })
          expect(outcome.images).toHaveLength(1)
          expect(await kindOf(outcome.images[0])).toMatch(/^(png|jpeg|webp)$/)
          if (!upstream) continue
          const sums = await Promise.all(some.map(async (image) => checksum(await image.read())))
          expect(upstream.lastInputs()).toEqual({ images: sums })
        }
      })

      it('passes a mask on unchanged, or refuses it by name', async (test) => {
        const upstream = upstreamOf(world, test)
        const request = { prompt, images: [inputs.picture('image/png')], mask: inputs.mask() }
        const outcome = await complete(world, request).catch((error: unknown) => error)
        if (outcome instanceof Error) return expectRefusal(outcome, 'mask')
        const [image = '', mask] = await Promise.all(
          [request.images[0], request.mask].map(async (one) =>
            checksum((await one?.read()) ?? Buffer.alloc(0)),
          ),
        )
        expect(upstream.lastInputs()).toEqual({ images: [image], mask })
      })

      it('closes every picture that it opened, also when it fails or is given up', async (test) => {
        const upstream = upstreamOf(world, test)
        if (!world.provider.inputs) return test.skip('takes no pictures')
        const images = [inputs.picture('image/png')]
        await complete(world, { prompt, images })
        for (const scenario of ['500', 'refused', 'silent'] as const) {
          await upstream.play(scenario)
          await failureOf(world, { prompt, images }, AbortSignal.timeout(100))
        }
        await expect.poll(() => inputs.openStreams()).toBe(0)
      })
    })

    describe('passes on or refuses by name, and never drops,', () => {
      it.for(Object.entries(sampleWishes))('%s', async ([, wish], test) => {
        await expectHeeded(world, upstreamOf(world, test), { prompt, ...wish.among }, [wish])
      })

      it('any of them in an edit', async (test) => {
        const upstream = upstreamOf(world, test)
        if (!world.provider.inputs) return test.skip('takes no pictures')
        const images = [(await openSampleInputs()).picture('image/png')]
        for (const [among, wishes] of Map.groupBy(Object.values(sampleWishes), (wish) => wish.among)) {
          await expectHeeded(world, upstream, { prompt, images, ...among }, wishes)
        }
      })

      it('what it has never heard of', async (test) => {
        const upstream = upstreamOf(world, test)
        const wish = { fields: { neverHeardOf: 7 } as Partial<ProviderRequest>, among: {} }
        await expectHeeded(world, upstream, { prompt }, [wish])
      })
    })
  })
}

/** A request with the wish is refused before anything is sent, or is another one than without it. */
async function expectHeeded(
  world: ConformanceWorld,
  upstream: ConformanceUpstream,
  base: Partial<ProviderRequest>,
  wishes: readonly Wish[],
): Promise<void> {
  const without = await complete(world, base).then(
    () => JSON.stringify(upstream.lastSubmission()),
    (error: unknown) => expectRefusal(error),
  )
  for (const { fields } of wishes) {
    const name = JSON.stringify(fields)
    const before = upstream.submissions()
    const outcome = await complete(world, { ...base, ...fields }).catch((error: unknown) => error)
    if (outcome instanceof Error) {
      expectRefusal(outcome)
      expect(upstream.submissions(), name).toBe(before)
    } else expect(JSON.stringify(upstream.lastSubmission()), name).not.toBe(without)
  }
}

function expectRefusal(error: unknown, param: unknown = expect.stringMatching(/^[a-z_A-Z]+$/)): void {
  expect(error).toBeInstanceOf(ProviderError)
  const refusal = { code: 'unsupported_parameter', attribution: 'client', dispatched: 'no', retryable: false }
  expect(error).toMatchObject({ ...refusal, param })
}

function checksum(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
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
