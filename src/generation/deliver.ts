/**
 * What Gesso owes a picture that has arrived: the size, the format and the label that were asked for. It is decoded
 * only where one of them asks for it, and a conversion that fails delivers what the provider made: it is paid for.
 */
import { encodeImage } from '../media/encode-image.ts'
import { type ImageInfo, inspectImage } from '../media/inspect-image.ts'
import type { Delivery, Warning } from '../models/map-fields.ts'
import { sameSize, sizeText } from '../models/size-rule.ts'
import type { Picture } from './picture.ts'
import type { WorkNote } from './work-note.ts'

export interface Delivered {
  picture: Picture
  /** What is not as it was asked. */
  notes: Warning[]
}

/**
 * The picture as it was asked for, as far as that is possible. A stop is no reason to throw either: the signal breaks off
 * the conversion only, and what the provider made can still be kept before the process ends.
 */
export async function deliver(
  picture: Picture,
  { delivery, asked }: Pick<WorkNote, 'delivery' | 'asked'>,
  signal: AbortSignal,
): Promise<Delivered> {
  const notes = isOpaqueUnasked(picture.info, asked.background) ? [opaque] : []
  const otherSize = delivery.size && !sameSize(delivery.size, picture.info) ? delivery.size : undefined
  if (!otherSize && !delivery.watermark && !needsEncoding(picture.info, delivery)) return { picture, notes }
  // GIF is never written, so a GIF that must change becomes a PNG.
  const format = delivery.format ?? (picture.info.format === 'gif' ? 'png' : picture.info.format)
  try {
    const bytes = await encodeImage(picture.bytes, {
      format,
      quality: delivery.compression,
      size: otherSize,
      watermark: delivery.watermark,
      signal,
    })
    const scaled = otherSize && !delivery.scales ? [scaledTo(picture.info, otherSize)] : []
    return { picture: { ...picture, bytes, info: await inspectImage(bytes) }, notes: [...notes, ...scaled] }
  } catch {
    return { picture, notes: [...notes, ...notDone(picture.info, delivery, otherSize !== undefined)] }
  }
}

function needsEncoding(
  { format: made }: ImageInfo,
  { format, compression, compressesItself }: Delivery,
): boolean {
  return (format !== undefined && format !== made) || (compression !== undefined && compressesItself)
}

function isOpaqueUnasked(info: ImageInfo, background: string | undefined): boolean {
  return background === 'transparent' && !info.hasAlpha
}

const opaque: Warning = {
  param: 'background',
  code: 'not_transparent',
  message: 'background is transparent, but the provider drew an opaque picture.',
}

function scaledTo(made: ImageInfo, asked: { width: number; height: number }): Warning {
  return {
    param: 'size',
    code: 'resized',
    message: `The provider drew ${sizeText(made)} instead of ${sizeText(asked)}; the picture was scaled to ${sizeText(asked)}.`,
  }
}

function notDone(made: ImageInfo, delivery: Delivery, otherSize: boolean): Warning[] {
  const note = (param: string, what: string): Warning => ({
    param,
    code: 'not_converted',
    message: `The picture could not be ${what}; it is delivered as the ${sizeText(made)} ${made.format} that the provider made.`,
  })
  return [
    ...(needsEncoding(made, delivery)
      ? [note('output_format', `turned into ${delivery.format ?? made.format}`)]
      : []),
    ...(otherSize && delivery.size ? [note('size', `scaled to ${sizeText(delivery.size)}`)] : []),
    ...(delivery.watermark ? [note('watermark', 'labelled')] : []),
  ]
}
