import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDiskStore } from './disk.ts'
import { describeObjectStoreConformance } from './testing/conformance.ts'

const png = { contentType: 'image/png' }
const disk = JSON.stringify(new URL('./disk.ts', import.meta.url).href)
const execFileAsync = promisify(execFile)

let scratch: string
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'gesso-objects-'))
})
afterAll(() => rm(scratch, { recursive: true, force: true }))

describeObjectStoreConformance('the disk store', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'gesso-objects-'))
  return {
    store: createDiskStore({ directory: join(directory, 'objects') }),
    leftovers: () => readdir(join(directory, 'objects', '.temporary')),
    close: () => rm(directory, { recursive: true, force: true }),
  }
})

describe('the disk store', () => {
  test.each(['000', '277'])('makes folders 0700 and files 0600 under umask %s', async (umask) => {
    const directory = join(scratch, `umask-${umask}`, 'objects')
    const script = `import { createDiskStore } from ${disk}
      process.umask('${umask}')
      await createDiskStore({ directory: ${JSON.stringify(directory)} }).put('a/b/c', Buffer.from('x'), {})`
    await execFileAsync(process.execPath, ['--input-type=module', '-e', script])
    for (const folder of ['', 'a', 'a/b', '.temporary']) expect(await modeOf(directory, folder)).toBe(0o700)
    expect(await modeOf(directory, 'a/b/c')).toBe(0o600)
  })

  test('does nothing to the disk until it is used, and reads from a directory that does not exist', async () => {
    const directory = join(scratch, 'unused')
    const store = createDiskStore({ directory })
    expect(await store.get('a')).toBeNull()
    expect(await store.sweepTemporary()).toBe(0)
    await expect(stat(directory)).rejects.toThrow('ENOENT')
  })

  test('a process killed while it writes leaves no object, and its temporary file is swept', async () => {
    const directory = join(scratch, 'killed')
    const script = `import { createDiskStore } from ${disk}
      async function* slow() {
        yield Buffer.alloc(100_000)
        process.stdout.write('writing')
        await new Promise((resolve) => setTimeout(resolve, 60_000))
      }
      await createDiskStore({ directory: ${JSON.stringify(directory)} }).put('a/b', slow(), {})`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script])
    await once(child.stdout, 'data')
    child.kill('SIGKILL')
    await once(child, 'exit')

    const store = createDiskStore({ directory })
    expect(await store.get('a/b')).toBeNull()
    expect(await readdir(join(directory, '.temporary'))).toHaveLength(1)
    expect(await store.sweepTemporary({ olderThanMs: 0 })).toBe(1)
    expect(await readdir(join(directory, '.temporary'))).toHaveLength(0)
  })

  test('sweeps only what nobody has touched for an hour', async () => {
    const directory = join(scratch, 'sweep')
    const temporary = join(directory, '.temporary')
    await mkdir(temporary, { recursive: true })
    await writeFile(join(temporary, 'old'), 'x')
    await writeFile(join(temporary, 'young'), 'x')
    const twoHoursAgo = new Date(Date.now() - 7_200_000)
    await utimes(join(temporary, 'old'), twoHoursAgo, twoHoursAgo)
    expect(await createDiskStore({ directory }).sweepTemporary()).toBe(1)
    expect(await readdir(temporary)).toEqual(['young'])
  })

  test('a reader keeps the object it opened while another replaces it', async () => {
    const store = createDiskStore({ directory: join(scratch, 'replaced') })
    await store.put('a', Buffer.from('first'), png)
    const opened = await store.get('a')
    await store.put('a', Buffer.from('the second, longer'), png)
    await store.delete('a')
    expect(Buffer.concat((await opened?.stream.toArray()) ?? []).toString()).toBe('first')
  })

  test('check rejects where the directory cannot be written', async () => {
    await writeFile(join(scratch, 'a-file'), 'x')
    await expect(createDiskStore({ directory: join(scratch, 'a-file', 'objects') }).check()).rejects.toThrow()
  })

  const canMount = spawnSync('unshare', ['-rm', 'true']).status === 0
  test.skipIf(!canMount)(
    'a full disk is a limit of the machine, and what fitted before is still there',
    async () => {
      const directory = join(scratch, 'full')
      await mkdir(directory)
      const script = `import { createDiskStore } from ${disk}
      import { readdir } from 'node:fs/promises'
      const store = createDiskStore({ directory: '${directory}' })
      await store.put('fits', Buffer.alloc(500_000), {})
      const { code, attribution } = await store.put('fits', Buffer.alloc(900_000), {}).catch((error) => error)
      const { sizeBytes } = await store.stat('fits')
      const temporary = await readdir('${directory}/.temporary')
      console.log(JSON.stringify({ code, attribution, sizeBytes, temporary }))`
      const mounted = `mount -t tmpfs -o size=1m tmpfs '${directory}' && exec "$0" --input-type=module -e "$1"`
      const { stdout } = await execFileAsync('unshare', [
        '-rm',
        'sh',
        '-c',
        mounted,
        process.execPath,
        script,
      ])
      expect(JSON.parse(stdout)).toEqual({
        code: 'overloaded',
        attribution: 'capacity',
        sizeBytes: 500_000,
        temporary: [],
      })
    },
  )
})

async function modeOf(...path: string[]): Promise<number> {
  return (await stat(join(...path))).mode & 0o777
}
