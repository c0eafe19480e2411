import { getEventListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createLane } from './lane.ts'

describe('a lane', () => {
  test('runs at most as many jobs at once as allowed, in the order they came', async () => {
    const lane = createLane({ concurrency: 2 })
    const started: number[] = []
    let running = 0
    let most = 0
    const jobs = Array.from({ length: 9 }, (_, i) =>
      lane.run(async () => {
        started.push(i)
        running += 1
        most = Math.max(most, running)
        await sleep(i % 3)
        running -= 1
        return i
      }),
    )
    expect(await Promise.all(jobs)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    expect(started).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    expect(most).toBe(2)
  })

  test('a job that fails gives its place to the next', async () => {
    const lane = createLane({ concurrency: 1 })
    const failing = () => {
      throw new Error('broken picture')
    }
    await expect(lane.run(failing)).rejects.toThrow('broken picture')
    expect(await lane.run(async () => 'next')).toBe('next')
  })

  describe('with a signal', () => {
    const reason = new Error('no more time')

    /** A lane whose only place is taken until `free` is called. */
    function takenLane() {
      const lane = createLane({ concurrency: 1 })
      const place = Promise.withResolvers<void>()
      const holder = lane.run(() => place.promise)
      return { lane, free: place.resolve, holder }
    }

    test('a waiting job rejects at once and never runs, and the others keep their places', async () => {
      const { lane, free, holder } = takenLane()
      const stop = new AbortController()
      const ran: string[] = []
      const first = lane.run(async () => ran.push('first'))
      const stopped = lane.run(async () => ran.push('stopped'), stop.signal)
      const last = lane.run(async () => ran.push('last'))
      stop.abort(reason)
      await expect(stopped).rejects.toBe(reason)
      expect(ran).toEqual([])
      free()
      await Promise.all([holder, first, last])
      expect(ran).toEqual(['first', 'last'])
      expect(await lane.run(async () => 'still open')).toBe('still open')
    })

    test('that has fired already a job does not even wait', async () => {
      const { lane, free } = takenLane()
      await expect(lane.run(async () => 1, AbortSignal.abort(reason))).rejects.toBe(reason)
      free()
      await expect(lane.run(async () => 1, AbortSignal.abort(reason))).rejects.toBe(reason)
      expect(await lane.run(async () => 'open')).toBe('open')
    })

    test('that fires while the place is handed over the place is not lost', async () => {
      const { lane, free, holder } = takenLane()
      const stop = new AbortController()
      let ran = false
      const stopped = lane.run(async () => {
        ran = true
      }, stop.signal)
      const outcome = expect(stopped).rejects.toBe(reason)
      free()
      // One tick after the holder has left, the job has the place and does not run yet.
      await holder.finally(() => stop.abort(reason))
      await outcome
      expect(ran).toBe(false)
      expect(await lane.run(async () => 'open')).toBe('open')
    })

    test('a job that has begun is left to itself, and no listener stays on the signal', async () => {
      const { lane, free } = takenLane()
      const stop = new AbortController()
      const waiting = lane.run(async () => 'done', stop.signal)
      expect(getEventListeners(stop.signal, 'abort')).toHaveLength(1)
      free()
      expect(await waiting).toBe('done')
      expect(getEventListeners(stop.signal, 'abort')).toEqual([])
      const begun = lane.run(async () => {
        stop.abort(reason)
        return sleep(5, 'whole')
      }, stop.signal)
      expect(await begun).toBe('whole')
    })
  })
})
