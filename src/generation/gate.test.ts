import { expect, test } from 'vitest'
import { createGate } from './gate.ts'

test('lets exactly the limit in at once and refuses the rest without waiting', async () => {
  const gate = createGate(2)
  let open = () => {}
  const held = new Promise<void>((resolve) => {
    open = resolve
  })
  const inside = [gate.run(() => held), gate.run(() => held)]
  await expect(gate.run(() => held)).rejects.toMatchObject({ code: 'queue_full', retryable: true })
  open()
  await Promise.all(inside)
  await expect(gate.run(async () => 'in')).resolves.toBe('in')
})

test('work that fails leaves its place free', async () => {
  const gate = createGate(1)
  await expect(gate.run(async () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  await expect(gate.run(async () => 1)).resolves.toBe(1)
})

test('a stop waits for those inside, lets nobody else in, and gives up after its time', async () => {
  const gate = createGate(5)
  let finished = false
  const quick = gate.run(async () => {
    await new Promise((resolve) => setTimeout(resolve, 30))
    finished = true
  })
  const endless = gate.run(
    (signal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('gave up')))),
  )
  const outcome = endless.catch((error: Error) => error.message)
  const closing = gate.close(100)
  await expect(gate.run(async () => 1)).rejects.toMatchObject({ code: 'overloaded' })
  await quick
  expect(finished).toBe(true)
  await closing
  expect(await outcome).toBe('gave up')
})

test('those who wait for work elsewhere take nobody’s place, and are told to give up with the others', async () => {
  const gate = createGate(1)
  const waiting = gate.wait(
    (signal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('enough')))),
  )
  const outcome = waiting.catch((error: Error) => error.message)
  await expect(gate.run(async () => 1)).resolves.toBe(1)
  await gate.close(10)
  expect(await outcome).toBe('enough')
  await expect(gate.wait(async () => 1)).rejects.toMatchObject({ code: 'overloaded' })
})
