/** The pictures of `--image` and `--mask`: files that are read while they are sent, URLs and image ids as they are. */
import { openAsBlob } from 'node:fs'
import { basename } from 'node:path'
import { FormData } from 'undici'
import { usageFailure } from '../failure.ts'

/** A file's content, or what stands for a picture elsewhere. */
type Input = { blob: Blob; name: string } | string

export interface Inputs {
  images: readonly Input[]
  mask: Input | undefined
}

/** Opens the files before anything is asked for. Undefined where no picture was named. Throws `CommandFailure`. */
export async function openInputs(options: {
  image: readonly string[]
  mask?: string
}): Promise<Inputs | undefined> {
  if (options.image.length === 0) {
    if (options.mask === undefined) return undefined
    throw usageFailure('--mask', '--mask needs the picture it belongs to: name it with --image.')
  }
  return {
    images: await Promise.all(options.image.map((value) => open(value, '--image'))),
    mask: options.mask === undefined ? undefined : await open(options.mask, '--mask'),
  }
}

/** The request as a form: what stands for a picture, and every field as text. */
export function editForm(body: object, { images, mask }: Inputs): FormData {
  const form = new FormData()
  for (const [name, value] of Object.entries(body)) if (value !== undefined) form.append(name, String(value))
  for (const image of images) append(form, images.length === 1 ? 'image' : 'image[]', image)
  if (mask !== undefined) append(form, 'mask', mask)
  return form
}

function append(form: FormData, name: string, input: Input): void {
  if (typeof input === 'string') form.append(name, input)
  else form.append(name, input.blob, input.name)
}

async function open(value: string, option: string): Promise<Input> {
  if (/^(https?:|data:)/i.test(value) || /^img_[0-9a-f]{24}$/.test(value)) return value
  try {
    return { blob: await openAsBlob(value), name: basename(value) }
  } catch {
    throw usageFailure(
      option,
      `${option} ${value} cannot be read: there is no such file, or it may not be read.`,
    )
  }
}
