/**
 * The one suite that every provider passes: what the core relies on when it decides about money and retries.
 * A provider's own test file calls it with a small world around a fake upstream; what is special about the
 * vendor's wire format is tested there, not here.
 */
import { afterEach, beforeEach, describe, expect, it, type TestContext } from 'vitest'
import type { ProviderRequest } from '../provider.ts'
import { ProviderError } from '../provider-error.ts'
import {
  begin,
  checksum,
  complete,
  expectHeeded,
  expectNoSecrets,
  expectRefusal,
  failureOf,
  follow,
  kindOf,
  patience,
  prompt,
  upstreamOf,
} from './conformance-steps.ts'
import { type Verdict, verdicts } from './conformance-verdicts.ts'
import type { ConformanceWorld, UpstreamScenario } from './conformance-world.ts'
import { openSampleInputs, type SampleInputs } from './sample-inputs.ts'
import { sampleWishes } from './sample-wishes.ts'

export type {
  ConformanceUpstream,
  ConformanceWorld,
  UpstreamScenario,
  WorkScenario,
} from './conformance-world.ts'

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

    describe('work that takes its time', () => {
      it('is resumed by a fresh process from the operation alone, and begun once', async (test) => {
        const upstream = upstreamOf(world, test)
        if (!world.reopen) return test.skip('finishes within the call')
        await upstream.play('pending')
        const operation = await begin(world)
        const fresh = world.reopen()
        expect(await fresh.check?.(operation, patience())).toMatchObject({ status: 'pending' })
        await upstream.play('ok')
        const done = await follow(fresh, operation)
        expect(done.images).toHaveLength(1)
        expect(await kindOf(done.images[0])).toMatch(/^(png|jpeg|webp)$/)
        expect(upstream.submissions()).toBe(1)
      })

      it('leaves a note without secrets, which names the work', async (test) => {
        const upstream = upstreamOf(world, test)
        if (!world.reopen) return test.skip('finishes within the call')
        await upstream.play('pending')
        const operation = await begin(world)
        expect(operation.id).toEqual(expect.any(String))
        expect(JSON.stringify(operation)).not.toContain(prompt)
        if (world.apiKey) expect(JSON.stringify(operation)).not.toContain(world.apiKey)
      })

      it('is stopped when that is asked for', async (test) => {
        const upstream = upstreamOf(world, test)
        if (!world.provider.cancel) return test.skip('cannot be stopped')
        await upstream.play('pending')
        const operation = await begin(world)
        await world.provider.cancel(operation, patience())
        expect(upstream.cancellations?.()).toBe(1)
        const error = await follow(world.provider, operation).catch((thrown: unknown) => thrown)
        expect(error).toBeInstanceOf(ProviderError)
        expect(error).toMatchObject({ retryable: false, dispatched: 'yes' })
      })

      it('is finished, whatever unknown states it goes through', async (test) => {
        const upstream = upstreamOf(world, test)
        if (!world.reopen) return test.skip('finishes within the call')
        await upstream.play('strange status')
        expect((await complete(world, { prompt })).images).toHaveLength(1)
        expect(upstream.submissions()).toBe(1)
      })

      it('is not given up because asking for it fails, and says that asking again is free', async (test) => {
        const upstream = upstreamOf(world, test)
        if (!world.reopen) return test.skip('finishes within the call')
        await upstream.play('poll trouble')
        const troubles: ProviderError[] = []
        const operation = await begin(world)
        const done = await follow(world.provider, operation, (error) => troubles.push(error))
        expect(done.images).toHaveLength(1)
        expect(troubles).toHaveLength(2)
        for (const error of troubles) expectNoSecrets(error, world)
        expect(upstream.submissions()).toBe(1)
      })

      it('fails for good when it fails, without secrets', async (test) => {
        const upstream = upstreamOf(world, test)
        if (!world.reopen) return test.skip('finishes within the call')
        await upstream.play('failed work')
        const error = await failureOf(world, { prompt })
        expect(error).toMatchObject({ code: 'upstream_failed', dispatched: 'yes', retryable: false })
        expectNoSecrets(error, world)
      })
    })

    it('delivers what was made when one of several pictures fails', async (test) => {
      const upstream = upstreamOf(world, test)
      if (!world.failsPartly) return test.skip('makes all of a call or nothing')
      await upstream.play('partial')
      const outcome = await complete(world, { prompt, n: 2 })
      expect(outcome.images).toHaveLength(1)
      expect(outcome.failures).toHaveLength(1)
      for (const { error } of outcome.failures ?? []) {
        expect(error).toMatchObject({ dispatched: 'yes', retryable: false })
        expectNoSecrets(error, world)
      }
    })

    it('hands on the addresses of pictures and leaves it to the core whether they still lead anywhere', async (test) => {
      const upstream = upstreamOf(world, test)
      const [usual] = (await complete(world, { prompt })).images
      if (usual?.source.kind !== 'url') return test.skip('answers with the bytes')
      await upstream.play('expired')
      const [expired] = (await complete(world, { prompt })).images
      if (expired?.source.kind !== 'url') throw new Error('it is no address any more')
      expect((await fetch(expired.source.url)).status).toBeGreaterThanOrEqual(400)
      expect(upstream.submissions()).toBe(2)
    })

    it('asks for exactly the size that is wished for, in every call of it', async (test) => {
      const upstream = upstreamOf(world, test)
      const said = []
      for (const size of [
        { width: 1_024, height: 768 },
        { width: 768, height: 1_024 },
      ]) {
        const outcome = await complete(world, { prompt, size }).catch((error: unknown) => error)
        if (outcome instanceof Error) return expectRefusal(outcome, 'size')
        said.push(JSON.stringify(upstream.lastSubmission()))
      }
      expect(said[0]).not.toBe(said[1])
      for (const one of said) expect(one).toMatch(/1024/)
    })

    describe('asked about a key', () => {
      const wrongKey = 'wrong-key-0123456789abcdef'
      const checkerOf = (key: string, test: TestContext) => {
        if (!world.provider.checkKey) return test.skip('has no question that costs nothing')
        const provider = world.withKey?.(key)
        return (signal = patience()) => provider?.checkKey?.(signal).then(() => 'taken')
      }
      const errorOf = async (check: ReturnType<typeof checkerOf>): Promise<ProviderError> => {
        const thrown = await check()?.catch((error: unknown) => error)
        expect(thrown).toBeInstanceOf(ProviderError)
        return thrown as ProviderError
      }

      it('says that a good one is taken, and has nothing drawn', async (test) => {
        const upstream = upstreamOf(world, test)
        expect(await checkerOf(world.apiKey ?? '', test)()).toBe('taken')
        expect(upstream.submissions()).toBe(0)
      })

      it('says that a wrong one is refused, without showing it', async (test) => {
        const upstream = upstreamOf(world, test)
        const error = await errorOf(checkerOf(wrongKey, test))
        expect(error).toMatchObject(verdicts['401'])
        expectNoSecrets(error, { ...world, apiKey: wrongKey })
        expect(upstream.submissions()).toBe(0)
      })

      it('says nothing about it while the upstream is down', async (test) => {
        const check = checkerOf(world.apiKey ?? '', test)
        await upstreamOf(world, test).play('refused')
        expect(await errorOf(check)).toMatchObject(verdicts.refused)
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
