/** The steps that the conformance suite is made of: asking as the core asks, and looking at what came. */
import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import { expect, type TestContext } from 'vitest'
import type { Operation, Provider, ProviderCompleted, ProviderImage, ProviderRequest } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import type { ConformanceUpstream, ConformanceWorld } from './conformance-world.ts'
import type { Wish } from './sample-wishes.ts'

export const prompt = 'a very particular heron with a brass telescope'

/** A request with the wish is refused before anything is sent, or is another one than without it. */
export async function expectHeeded(
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

export function expectRefusal(error: unknown, param: unknown = expect.stringMatching(/^[a-z_A-Z]+$/)): void {
  expect(error).toBeInstanceOf(ProviderError)
  const refusal = { code: 'unsupported_parameter', attribution: 'client', dispatched: 'no', retryable: false }
  expect(error).toMatchObject({ ...refusal, param })
}

export function checksum(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

export function upstreamOf(world: ConformanceWorld, test: TestContext): ConformanceUpstream {
  if (world.upstream) return world.upstream
  return test.skip('calls no upstream')
}

export const patience = () => AbortSignal.timeout(5_000)

/** Starts the request and asks on until it is done. */
export async function complete(
  world: ConformanceWorld,
  overrides: Partial<ProviderRequest>,
  signal: AbortSignal = patience(),
): Promise<ProviderCompleted> {
  const outcome = await world.provider.start(world.request(overrides), signal)
  return outcome.status === 'pending' ? follow(world.provider, outcome.operation, undefined, signal) : outcome
}

/** Starts work that is still under way, and answers its note as another process would read it. */
export async function begin(world: ConformanceWorld): Promise<Operation> {
  const outcome = await world.provider.start(world.request({ prompt }), patience())
  if (outcome.status !== 'pending') throw new Error('it was done at once')
  return JSON.parse(JSON.stringify(outcome.operation))
}

/** Asks as the core does: troubles of the asking are told and do not end it. */
export async function follow(
  provider: Provider,
  operation: Operation,
  onTrouble: (error: ProviderError) => void = () => undefined,
  signal: AbortSignal = patience(),
): Promise<ProviderCompleted> {
  while (true) {
    if (!provider.check) throw new Error('a provider that answers "pending" must be able to check')
    try {
      const outcome = await provider.check(operation, signal, [prompt])
      if (outcome.status === 'completed') return outcome
    } catch (error) {
      if (!(error instanceof ProviderError) || !error.retryable) throw error
      onTrouble(error)
    }
    signal.throwIfAborted()
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

export async function failureOf(
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
export function expectNoSecrets(error: ProviderError, world: ConformanceWorld): void {
  const printed = [inspect(error, { depth: 20, showHidden: true }), JSON.stringify(error), error.detail].join(
    '\n',
  )
  expect(printed).not.toContain(prompt)
  expect(printed).not.toMatch(/[A-Za-z0-9+]{100}/)
  if (world.apiKey) expect(printed).not.toContain(world.apiKey)
}

/** The format that the bytes say they are. A URL is fetched as Gesso would: without credentials. */
export async function kindOf(image: ProviderImage | undefined): Promise<string> {
  if (!image) return 'nothing'
  const { source } = image
  const bytes =
    source.kind === 'bytes' ? source.bytes : Buffer.from(await (await fetch(source.url)).arrayBuffer())
  if (bytes.toString('latin1', 0, 8) === '\x89PNG\r\n\x1a\n') return 'png'
  if (bytes.toString('latin1', 0, 3) === '\xff\xd8\xff') return 'jpeg'
  if (bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP') return 'webp'
  return 'no picture'
}
