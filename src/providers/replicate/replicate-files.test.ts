import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { type FakeReplicateOptions, fakeReplicateKey } from '../../../test/upstreams/replicate.ts'
import { serveTcp } from '../../net/testing/loopback.ts'
import type { InputImage } from '../provider.ts'
import { openSampleInputs } from '../testing/sample-inputs.ts'
import { asFailure, openReplicate } from './testing/open-replicate.ts'

const opened: { [Symbol.asyncDispose](): PromiseLike<void> }[] = []
afterEach(async () => {
  for (const one of opened.splice(0)) await one[Symbol.asyncDispose]()
})

async function open(options: FakeReplicateOptions = {}, settings = {}) {
  const world = await openReplicate(options, settings)
  opened.push(world)
  return world
}

const inputs = await openSampleInputs()
const small = inputs.picture('image/jpeg')
/** A picture with so much behind its end that it weighs 256 kB and a byte. */
const bytes = Buffer.concat([await inputs.picture('image/png').read(), randomBytes(256 * 1024)]).subarray(
  0,
  256 * 1024 + 1,
)
const large: InputImage = {
  ...inputs.picture('image/png'),
  sizeBytes: bytes.length,
  read: async () => bytes,
  stream: () => Readable.from([bytes], { objectMode: false }),
}

describe('a picture of more than 256 kB', () => {
  it('goes ahead as a file, and its address into the input, in its place', async () => {
    const { upstream, start, lastBody } = await open()
    expect(await start({ images: [small, large] })).toMatchObject({ status: 'pending' })
    expect(upstream.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /v1/files',
      'POST /v1/models/black-forest-labs/flux-2-pro/predictions',
    ])
    expect(upstream.requests[0]?.headers).toMatchObject({ authorization: `Bearer ${fakeReplicateKey}` })
    expect(upstream.requests[0]?.body).toEqual({
      content: expect.objectContaining({
        filename: 'image.png',
        mediaType: 'image/png',
        sizeBytes: bytes.length,
      }),
    })
    expect(lastBody()).toMatchObject({
      input: {
        input_images: [
          expect.objectContaining({ mediaType: 'image/jpeg', sizeBytes: small.sizeBytes }),
          expect.stringMatching(/^http.+\/v1\/files\/[\w-]+$/),
        ],
      },
    })
    expect(upstream.lastPictures()).toHaveLength(2)
  })

  it('of exactly 256 kB still goes inline', async () => {
    const exact = { ...large, sizeBytes: 256 * 1024 }
    const stream = () => Readable.from([bytes.subarray(0, 256 * 1024)], { objectMode: false })
    const { upstream, start } = await open()
    await start({ images: [{ ...exact, stream }] })
    expect(upstream.requests.map(({ path }) => path)).not.toContain('/v1/files')
  })
})

describe('an upload that fails has begun nothing', () => {
  it.each([
    [401, { code: 'upstream_failed', attribution: 'platform', retryable: false }],
    [402, { code: 'upstream_failed', attribution: 'platform', retryable: false }],
    [413, { code: 'request_too_large', attribution: 'client', retryable: false }],
    [429, { code: 'rate_limit_exceeded', attribution: 'capacity', retryable: true }],
    [500, { code: 'upstream_unavailable', attribution: 'upstream', retryable: true }],
    [504, { code: 'upstream_unavailable', attribution: 'upstream', retryable: true }],
    [200, { code: 'upstream_unavailable', attribution: 'upstream', retryable: true }],
  ])('with status %i', async (uploadStatus, verdict) => {
    const { upstream, start } = await open({ uploadStatus })
    expect(await start({ images: [large] })).toMatchObject({ ...verdict, dispatched: 'no' })
    expect(upstream.submissions()).toBe(0)
  })

  it('without an answer in time', async () => {
    const silent = await serveTcp((socket) => socket.resume())
    const { start } = await open({}, { baseUrl: `${silent.origin}/v1`, timeoutMs: 50 })
    const verdict = { code: 'upstream_unavailable', dispatched: 'no', retryable: true }
    expect(await start({ images: [large] })).toMatchObject(verdict)
    await silent.close()
  })

  it('because nobody waits any more, and then nobody tries again', async () => {
    const silent = await serveTcp((socket) => socket.resume())
    const { provider } = await open({}, { baseUrl: `${silent.origin}/v1` })
    const request = { taskId: 'image_1', model: 'black-forest-labs/flux-2-pro', prompt: 'a heron', n: 1 }
    const start = provider.start({ ...request, images: [large] }, AbortSignal.timeout(50))
    expect(await start.catch(asFailure)).toMatchObject({ dispatched: 'no', retryable: false })
    await silent.close()
  })

  it('because the picture cannot be read to its end', async () => {
    const { upstream, start } = await open()
    const broken = { ...large, stream: () => Readable.from(brokenOff(), { objectMode: false }) }
    expect(await start({ images: [broken] })).toMatchObject({
      code: 'internal_error',
      attribution: 'platform',
      dispatched: 'no',
      retryable: false,
    })
    expect(upstream.submissions()).toBe(0)
  })
})

function* brokenOff() {
  yield bytes.subarray(0, 1_000)
  throw new Error('EIO')
}
