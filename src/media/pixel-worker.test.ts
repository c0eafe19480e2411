import { spawn } from 'node:child_process'
import { getEventListeners, once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { gunzipSync } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeImage } from './encode-image.ts'
import type { PixelJob } from './perform-pixel-job.ts'
import { createPixelWorkers } from './pixel-worker.ts'

const onLinux = process.platform === 'linux'
const png = { format: 'png' }
const folder = mkdtempSync(join(tmpdir(), 'gesso-pixels-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let quick: PixelJob
/** 100 megapixels from 38 bytes. */
let greedy: PixelJob
/** 256 megapixels: seconds of work in little memory. */
let slow: PixelJob
beforeAll(async () => {
  const create = { width: 60, height: 40, channels: 3, background: 'teal' } as const
  const rest = { limitInputPixels: 1e9, output: { format: 'png' } } as const
  quick = { ...rest, source: await sharp({ create }).png().toBuffer() }
  greedy = { ...rest, source: await bomb('webp-lossless-10000x10000') }
  slow = { ...rest, source: await bomb('png-16000x16000') }
})

async function bomb(name: string): Promise<Buffer> {
  return gunzipSync(await readFile(join(import.meta.dirname, '__fixtures__/bombs', `${name}.gz`)))
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !onLinux || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}

describe('a pixel worker', () => {
  test('answers many jobs from one warm child', async () => {
    using workers = createPixelWorkers()
    const first = await workers.run(quick, png)
    const [pid] = workers.pids()
    expect(first).toMatchObject({ width: 60, height: 40, hasAlpha: false })
    expect(await workers.run(quick, png)).toEqual(first)
    expect(workers.pids()).toEqual([pid])
  })

  test('a child that is killed fails one job, and the next one works', async () => {
    using workers = createPixelWorkers()
    await workers.run(quick, png)
    const [pid = 0] = workers.pids()
    const lost = workers.run(slow, { ...png, param: 'image' })
    process.kill(pid, 'SIGKILL')
    await expect(lost).rejects.toMatchObject({
      code: 'unsupported_image',
      param: 'image',
      message: 'The image needs more memory than this server gives to one picture.',
    })
    expect(await workers.run(quick, png)).toMatchObject({ width: 60 })
    expect(workers.pids()).not.toContain(pid)
  })

  test('a job above the memory limit fails alone, and the next one works', async () => {
    using workers = createPixelWorkers({ rssLimitBytes: 300_000_000 })
    await workers.run(quick, png)
    const refused = { code: 'unsupported_image', message: expect.stringContaining('more memory') }
    await expect(workers.run(greedy, { format: 'webp' })).rejects.toMatchObject(refused)
    expect(await workers.run(quick, png)).toMatchObject({ width: 60 })
  })

  test('a job above the deadline fails alone, and the next one works', async () => {
    using workers = createPixelWorkers({ deadlineMs: 700 })
    const refused = { code: 'unsupported_image', message: 'The image takes more than 0.7 s to decode.' }
    await expect(workers.run(slow, png)).rejects.toMatchObject(refused)
    await expect.poll(async () => (await workers.run(quick, png)).width).toBe(60)
  })

  describe('with a signal', () => {
    const reason = new Error('no more time')

    test('ends a job under way with its child, and the next one works in another', async () => {
      using workers = createPixelWorkers()
      await workers.run(quick, png)
      const [pid = 0] = workers.pids()
      const stop = new AbortController()
      const targetPath = join(folder, 'stopped.png')
      const stopped = workers.run({ ...slow, targetPath }, png, stop.signal)
      const outcome = expect(stopped).rejects.toBe(reason)
      await expect.poll(() => existsSync(targetPath)).toBe(true)
      stop.abort(reason)
      await outcome
      expect(isAlive(pid)).toBe(false)
      expect(getEventListeners(stop.signal, 'abort')).toEqual([])
      expect(await workers.run(quick, png)).toMatchObject({ width: 60 })
      expect(workers.pids()).not.toContain(pid)
    })

    test('ends the start of a child, and begins nothing once it has fired', async () => {
      using workers = createPixelWorkers()
      const stop = new AbortController()
      const stopped = workers.run(quick, png, stop.signal)
      const [pid = 0] = workers.pids()
      stop.abort(reason)
      await expect(stopped).rejects.toBe(reason)
      expect(isAlive(pid)).toBe(false)
      await expect(workers.run(quick, png, stop.signal)).rejects.toBe(reason)
      expect(workers.pids()).toEqual([])
      expect(getEventListeners(stop.signal, 'abort')).toEqual([])
    })

    test('that never fires keeps the warm child and hears of nothing any more', async () => {
      using workers = createPixelWorkers()
      const stop = new AbortController()
      await workers.run(quick, png, stop.signal)
      const [pid] = workers.pids()
      stop.abort(reason)
      await sleep(50)
      await workers.run(quick, png)
      expect(workers.pids()).toEqual([pid])
    })
  })

  test('writes files that nobody else may read, whatever this process allows', async () => {
    const before = process.umask(0)
    using workers = createPixelWorkers()
    const targetPath = join(folder, 'private.png')
    await workers.run({ ...quick, targetPath }, png).finally(() => process.umask(before))
    expect(statSync(targetPath).mode & 0o777).toBe(0o600)
  })

  test('a picture that is damaged keeps its child; a target that cannot be written is not its fault', async () => {
    using workers = createPixelWorkers()
    const damaged = { ...quick, source: Buffer.from('not a picture') }
    await expect(workers.run(damaged, png)).rejects.toMatchObject({ code: 'unsupported_image' })
    const [pid] = workers.pids()
    const nowhere = { ...quick, targetPath: join(import.meta.dirname, 'no', 'such', 'folder') }
    await expect(workers.run(nowhere, png)).rejects.toMatchObject({
      code: 'internal_error',
      attribution: 'platform',
    })
    await workers.run(quick, png)
    expect(workers.pids()).toEqual([pid])
  })

  test('what stops the server politely does not stop a job', async () => {
    using workers = createPixelWorkers()
    await workers.run(quick, png)
    const [pid = 0] = workers.pids()
    const running = workers.run({ ...quick, size: { width: 3000, height: 3000, fit: 'cover' } }, png)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid, signal)
    expect(await running).toMatchObject({ width: 3000 })
  })

  test('an idle child leaves', async () => {
    using workers = createPixelWorkers({ idleMs: 50 })
    await workers.run(quick, png)
    await expect.poll(() => workers.pids()).toEqual([])
  })

  test.runIf(onLinux)('has no secret, no terminal, and is the first to go when memory runs out', async () => {
    using workers = createPixelWorkers()
    process.env.GESSO_TEST_SECRET = 'tell-nobody'
    await workers.run(quick, png).finally(() => delete process.env.GESSO_TEST_SECRET)
    const [pid] = workers.pids()
    const environment = readFileSync(`/proc/${pid}/environ`, 'latin1')
    const names = environment.split('\0').flatMap((line) => line.split('=')[0] || [])
    // Node's own two, for the channel to the parent, and the memory allocator's.
    expect(names.sort()).toEqual(['MALLOC_ARENA_MAX', 'NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE'])
    for (const fd of [0, 1, 2]) expect(readlinkSync(`/proc/${pid}/fd/${fd}`)).toBe('/dev/null')
    expect(readFileSync(`/proc/${pid}/oom_score_adj`, 'latin1').trim()).toBe('1000')
  })

  test.runIf(onLinux)('at most two children decode for this process', async () => {
    const bytes = await sharp({ create: { width: 300, height: 300, channels: 3, background: 'red' } })
      .png()
      .toBuffer()
    await Promise.all(Array.from({ length: 8 }, () => encodeImage(bytes, { format: 'webp' })))
    const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'latin1')
    const workers = children
      .split(' ')
      .filter((pid) => pid && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('pixel-worker-process'))
    expect(workers).toHaveLength(2)
  })
})

describe('the process that has workers', () => {
  const script = (job: string) => `
    import { createPixelWorkers } from '${pathToFileURL(join(import.meta.dirname, 'pixel-worker.ts'))}'
    const workers = createPixelWorkers()
    const job = (path) => ({ source: { path }, limitInputPixels: 1e9, output: { format: 'png' } })
    await workers.run({ ...job(''), source: Buffer.from('${Buffer.from(quick.source as Buffer).toString('base64')}', 'base64') }, { format: 'png' })
    console.log(workers.pids()[0])
    ${job}`

  async function start(job: string) {
    const process_ = spawn(process.execPath, ['--input-type=module', '-e', script(job)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exited = once(process_, 'exit')
    const [line] = await once(process_.stdout, 'data')
    return { process_, exited, childPid: Number(line) }
  }

  test('is not kept alive by a warm child, which goes with it', async () => {
    const { exited, childPid } = await start('')
    expect((await exited)[0]).toBe(0)
    await expect.poll(() => isAlive(childPid)).toBe(false)
  })

  test('when it is killed, takes a child with it that is at work', async () => {
    const source = Buffer.from(slow.source as Buffer).toString('base64')
    const { process_, exited, childPid } = await start(
      `await workers.run({ ...job(''), source: Buffer.from('${source}', 'base64') }, { format: 'png' })`,
    )
    expect(isAlive(childPid)).toBe(true)
    process_.kill('SIGKILL')
    await exited
    await expect.poll(() => isAlive(childPid)).toBe(false)
  })
})
