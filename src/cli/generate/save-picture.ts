/** Puts a picture where it belongs: whole or not at all, and never over a file that was there before. */
import { randomBytes } from 'node:crypto'
import { link, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { numbered, type Place, pathOf } from './place.ts'

export interface PictureToSave {
  prompt: string
  taskId: string
  format: string
  /** Which one of `count`, from 0. */
  index: number
  count: number
  force: boolean
}

/** Writes the bytes; answers the path, or undefined where they went to stdout. */
export async function savePicture(
  place: Place,
  bytes: Buffer,
  picture: PictureToSave,
): Promise<string | undefined> {
  if (place.kind === 'stdout') {
    await new Promise<void>((done, fail) =>
      process.stdout.write(bytes, (error) => (error ? fail(error) : done())),
    )
    return undefined
  }
  const wanted = pathOf(place, picture)
  const temporary = join(
    dirname(wanted),
    `.${basename(wanted).slice(0, 100)}.${randomBytes(6).toString('hex')}`,
  )
  try {
    await writeDurably(temporary, bytes)
    if (picture.force) {
      await rename(temporary, wanted)
      return wanted
    }
    return await linkToFreeName(temporary, wanted, picture.count)
  } finally {
    await rm(temporary, { force: true })
  }
}

async function writeDurably(file: string, bytes: Buffer): Promise<void> {
  await using handle = await open(file, 'wx')
  await handle.writeFile(bytes)
  await handle.sync()
}

/** A name that was taken while the picture was drawn gives way to the next: a picture is never thrown away. */
async function linkToFreeName(temporary: string, wanted: string, step: number): Promise<string> {
  for (let index = 0; ; index += step) {
    const path = numbered(wanted, index)
    try {
      await giveName(temporary, path)
      return path
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

/** Fails with EEXIST where the name is taken. */
async function giveName(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw error
    // Some file systems (FAT, network shares) have no links: the name is reserved first, then the file put there.
    await using reserved = await open(path, 'wx')
    await reserved.sync()
    await rename(temporary, path)
  }
}
