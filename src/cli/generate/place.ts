/**
 * Where pictures go and what they are called. A name made from a prompt holds only letters, digits and hyphens:
 * no path, no dot and no control character of somebody else's text ever reaches the file system.
 */
import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs'
import { basename, dirname, extname, join, resolve, sep } from 'node:path'
import { usageFailure } from '../failure.ts'

export type Place = { kind: 'stdout' } | { kind: 'folder'; folder: string } | { kind: 'file'; file: string }

const maxSlugCharacters = 48

/** The place that `-o` names; without it, the current folder. */
export function placeOf(output: string | undefined): Place {
  if (output === '-') return { kind: 'stdout' }
  if (output === undefined) return { kind: 'folder', folder: '.' }
  const isFolder = /[/\\]$/.test(output) || (existsSync(output) && statSync(output).isDirectory())
  return isFolder ? { kind: 'folder', folder: output } : { kind: 'file', file: output }
}

/** Throws where the files could not be written, or would overwrite others. A named folder is made. */
export async function checkPlace(place: Place, options: { n: number; force: boolean }): Promise<void> {
  if (place.kind === 'stdout') return
  const folder = place.kind === 'folder' ? place.folder : dirname(place.file)
  try {
    if (place.kind === 'folder') mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK | constants.X_OK)
  } catch (error) {
    const why =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'it does not exist' : (error as Error).message
    throw usageFailure('--output', `Nothing can be written into the folder ${resolve(folder)}: ${why}.`)
  }
  if (place.kind === 'folder' || options.force) return
  for (let index = 0; index < options.n; index++) {
    const file = numbered(place.file, index)
    if (existsSync(file)) throw usageFailure('--output', `${file} exists; --force overwrites it.`)
  }
}

/** The path of a picture: the named file, or `<prompt>-<id>.<format>`; from the second on with `-2`, `-3` … */
export function pathOf(
  place: Exclude<Place, { kind: 'stdout' }>,
  picture: { prompt: string; taskId: string; format: string; index: number },
): string {
  if (place.kind === 'file') return numbered(place.file, picture.index)
  const id = picture.taskId.replace(/[^A-Za-z0-9]/g, '').slice(-8)
  const extension = /^[a-z0-9]{1,5}$/.test(picture.format) ? picture.format : 'bin'
  const path = join(place.folder, numbered(`${slug(picture.prompt)}-${id}.${extension}`, picture.index))
  return resolve(place.folder) === process.cwd() ? `.${sep}${path}` : path
}

/** Words of the prompt as the beginning of a file name; `picture` where it has none that a file name can hold. */
export function slug(prompt: string): string {
  const words = prompt
    .slice(0, 1_000)
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
  if (words.length <= maxSlugCharacters) return words.replace(/-+$/, '') || 'picture'
  const cut = words.slice(0, maxSlugCharacters + 1)
  // At a word's end where one is near, so that no half word stands in the name.
  return (cut.includes('-', 16) ? cut.slice(0, cut.lastIndexOf('-')) : cut.slice(0, -1)).replace(/-+$/, '')
}

/** `fox.png`, `fox-2.png`, `fox-3.png` … */
export function numbered(file: string, index: number): string {
  if (index === 0) return file
  const extension = extname(file)
  return join(dirname(file), `${basename(file, extension)}-${index + 1}${extension}`)
}

/** The format that a file's name asks for, where it names one that can be made. */
export function formatOfFile(output: string | undefined): string | undefined {
  const place = output === undefined || output === '-' ? undefined : extname(output).slice(1).toLowerCase()
  if (place === 'jpg') return 'jpeg'
  return place && ['png', 'jpeg', 'webp', 'avif'].includes(place) ? place : undefined
}
