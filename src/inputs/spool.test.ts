import { spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, statSync } from 'node:fs'
import { mkdir, rm, utimes, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { isSpooledFile } from './is-spooled-file.ts'
import { createSpool, type SpooledFile } from './spool.ts'
import { spoolFolderName, sweepSpool } from './sweep-spool.ts'

const open = (options: Partial<Parameters<typeof createSpool>[0]> = {}) => {
  const directory = join(mkdtempSync(join(tmpdir(), 'gesso-spool-')), 'spool')
  const spool = createSpool({ directory, memoryBytes: 1_000, budgetBytes: 100_000, ...options })
  const files = () =>
    existsSync(directory)
      ? readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
      : []
  return { directory, spool, files }
}

async function receive(spool: ReturnType<typeof createSpool>, bytes: Buffer, chunkBytes = 300) {
  await using writer = spool.open()
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    await writer.write(bytes.subarray(at, at + chunkBytes))
  }
  return await writer.finish()
}

describe('a spooled file', () => {
  test.each([0, 1, 1_000, 1_001, 50_000])('of %i bytes is read as it was written, twice', async (size) => {
    const { spool, files } = open()
    const bytes = randomBytes(size)
    for (const make of [() => receive(spool, bytes), () => spool.keep(bytes)]) {
      const file = await make()
      expect(file.sizeBytes).toBe(size)
      for (let round = 0; round < 2; round++) {
        expect((await file.read()).equals(bytes)).toBe(true)
        expect((await buffer(file.stream())).equals(bytes)).toBe(true)
      }
      expect(files()).toHaveLength(size > 1_000 ? 1 : 0)
      expect(spool.heldBytes).toBe(size)
      await file[Symbol.asyncDispose]()
      await file[Symbol.asyncDispose]()
      expect(files()).toEqual([])
      expect(spool.heldBytes).toBe(0)
    }
  })

  test('is nobody else’s to read', async () => {
    const { spool, files, directory } = open()
    await using _file = await receive(spool, randomBytes(5_000))
    for (const entry of files()) {
      expect(statSync(join(entry.parentPath, entry.name)).mode & 0o777).toBe(0o600)
      expect(statSync(entry.parentPath).mode & 0o777).toBe(0o700)
    }
    expect(statSync(directory).mode & 0o777).toBe(0o700)
  })

  test('keeps its bytes although the chunk is used again', async () => {
    const { spool } = open()
    const chunk = Buffer.alloc(400)
    const writer = spool.open()
    for (const fill of [1, 2, 3]) await writer.write(chunk.fill(fill))
    await using file = await writer.finish()
    expect([...new Set(await file.read())]).toEqual([1, 2, 3])
  })

  test('cannot be made up', async () => {
    const { spool } = open()
    await using file = await spool.keep(Buffer.from('x'))
    expect(isSpooledFile(file)).toBe(true)
    expect(isSpooledFile({ sizeBytes: 1, source: { path: '/etc/passwd' } })).toBe(false)
    expect(isSpooledFile(null)).toBe(false)
  })
})

describe('the budget', () => {
  test('refuses what does not fit, in memory and on the disk, and is free again afterwards', async () => {
    const { spool, files } = open({ budgetBytes: 10_000 })
    const held = await receive(spool, randomBytes(6_000))
    await expect(receive(spool, randomBytes(6_000))).rejects.toMatchObject({
      code: 'queue_full',
      retryable: true,
    })
    expect(spool.heldBytes).toBe(6_000)
    expect(files()).toHaveLength(1)
    const small = await Promise.all([1, 2, 3, 4].map(() => spool.keep(randomBytes(1_000))))
    await expect(spool.keep(Buffer.from('x'))).rejects.toMatchObject({ code: 'queue_full' })
    for (const file of [held, ...small]) await file[Symbol.asyncDispose]()
    expect(spool.heldBytes).toBe(0)
    await using _all = await receive(spool, randomBytes(10_000))
  })

  test('holds for files that others write, and removes those it has no room for', async () => {
    const { spool, files } = open({ budgetBytes: 10_000 })
    const [first, second] = [await spool.newPath(), await spool.newPath()]
    await writeFile(first, randomBytes(6_000))
    await writeFile(second, randomBytes(6_000))
    const adopted = await spool.adopt(first)
    expect(adopted.sizeBytes).toBe(6_000)
    await expect(spool.adopt(second)).rejects.toMatchObject({ code: 'queue_full' })
    expect(files()).toHaveLength(1)
    await adopted[Symbol.asyncDispose]()
    expect([files(), spool.heldBytes]).toEqual([[], 0])
  })

  test('many small files do not fill the memory: further ones are files', async () => {
    const { spool, files } = open({ budgetBytes: 1_000_000 })
    const all: SpooledFile[] = []
    for (let n = 0; n < 50; n++) {
      all.push(await receive(spool, randomBytes(1_000)), await spool.keep(randomBytes(1_000)))
    }
    expect(all.filter((file) => Buffer.isBuffer(file.source))).toHaveLength(64)
    expect(files()).toHaveLength(36)
    for (const file of all) await file[Symbol.asyncDispose]()
    expect([files(), spool.heldBytes]).toEqual([[], 0])
    await using again = await receive(spool, randomBytes(1_000))
    expect(Buffer.isBuffer(again.source)).toBe(true)
  })
})

describe('nothing is left of a file', () => {
  test.each([500, 5_000])('that was given up after %i bytes', async (size) => {
    const { spool, files } = open()
    const writer = spool.open()
    await writer.write(randomBytes(size))
    expect([spool.heldBytes, writer.sizeBytes]).toEqual([size, size])
    await writer[Symbol.asyncDispose]()
    await writer[Symbol.asyncDispose]()
    expect([files(), spool.heldBytes]).toEqual([[], 0])
    await expect(writer.write(randomBytes(1))).rejects.toThrow('disposed')
  })

  test('that is given up in the middle of a write, or of its end', async () => {
    const { spool, files } = open()
    const writing = spool.open()
    const write = writing.write(randomBytes(5_000))
    await writing[Symbol.asyncDispose]()
    await write
    for (const size of [500, 5_000]) {
      const ending = spool.open()
      await ending.write(randomBytes(size))
      const end = expect(ending.finish()).rejects.toThrow('disposed')
      await ending[Symbol.asyncDispose]()
      await end
    }
    expect([files(), spool.heldBytes]).toEqual([[], 0])
  })

  test('when the spool is closed', async () => {
    const { spool, files, directory } = open()
    await receive(spool, randomBytes(5_000))
    expect(files()).toHaveLength(1)
    await spool[Symbol.asyncDispose]()
    expect(readdirSync(directory)).toEqual([])
  })
})

test('a disk that fails is an error of that file only, and the next one is fine', async () => {
  const { spool, directory } = open()
  await writeFile(directory, 'in the way')
  const writer = spool.open()
  await expect(writer.write(randomBytes(5_000))).rejects.toThrow(/ENOTDIR|EEXIST/)
  await writer[Symbol.asyncDispose]()
  expect(spool.heldBytes).toBe(0)
  await rm(directory)
  await using file = await receive(spool, randomBytes(5_000))
  expect(file.sizeBytes).toBe(5_000)
})

test('a folder that somebody tidied up is made again', async () => {
  const { spool, directory } = open()
  await (await receive(spool, randomBytes(5_000)))[Symbol.asyncDispose]()
  await rm(directory, { recursive: true })
  await using file = await receive(spool, randomBytes(5_000))
  expect(await file.read()).toHaveLength(5_000)
})

test('a start sweeps what the dead left, and nothing else', async () => {
  const { spool, directory } = open()
  await using _alive = await receive(spool, randomBytes(5_000))
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'])
  const host = spoolFolderName().split(`-${process.pid}-`)[0]
  const dayAgo = new Date(Date.now() - 25 * 3_600_000)
  const plant = async (name: string, usedAt = new Date()) => {
    await mkdir(join(directory, name))
    await writeFile(join(directory, name, 'picture'), 'x')
    await utimes(join(directory, name), usedAt, usedAt)
  }
  const ended = spawn(process.execPath, ['-e', ''])
  await new Promise((resolve) => ended.once('exit', resolve))
  const dead = `${host}-${ended.pid}-${randomUUID()}`
  const living = `${host}-${child.pid}-${randomUUID()}`
  const beforeUs = `${host}-${process.pid}-${randomUUID()}`
  const elsewhere = `not-${hostname()}-${ended.pid}-${randomUUID()}`
  const elsewhereLongAgo = `not-${hostname()}-${ended.pid}-${randomUUID()}`
  try {
    for (const name of [dead, living, elsewhere, 'notes', '12-notes']) await plant(name)
    await plant(beforeUs, new Date(Date.now() - process.uptime() * 1_000 - 5_000))
    await plant(elsewhereLongAgo, dayAgo)
    const ours = readdirSync(directory).filter(
      (name) => name.includes(`-${process.pid}-`) && name !== beforeUs,
    )
    await sweepSpool(directory)
    expect(readdirSync(directory).sort()).toEqual([...ours, living, elsewhere, 'notes', '12-notes'].sort())
  } finally {
    child.kill()
  }
  await sweepSpool(join(directory, 'that', 'is', 'not', 'there'))
})
