/**
 * The one thing in EXIF data that changes how a picture looks: its orientation.
 *
 * Dropping EXIF would turn a photograph on its side, so its orientation is read here and can be written alone.
 * EXIF is a TIFF file inside the picture; nothing else in it is looked at, and damaged data means "upright".
 */

const ORIENTATION_TAG = 0x0112
const LONG = 4

/** 1 (upright) to 8, of a TIFF structure with or without "Exif\0\0" before it. */
export function readOrientation(exif: Buffer): number {
  const tiff = exif.toString('latin1', 0, 6) === 'Exif\0\0' ? exif.subarray(6) : exif
  const byteOrder = tiff.toString('latin1', 0, 2)
  if (byteOrder !== 'II' && byteOrder !== 'MM') return 1
  const read = (at: number, sizeBytes: 2 | 4) => {
    if (at + sizeBytes > tiff.length) return 0
    return byteOrder === 'II' ? tiff.readUIntLE(at, sizeBytes) : tiff.readUIntBE(at, sizeBytes)
  }
  if (read(2, 2) !== 42) return 1

  const directoryAt = read(4, 4)
  const entries = read(directoryAt, 2)
  for (let entry = 0; entry < entries; entry++) {
    const at = directoryAt + 2 + entry * 12
    if (read(at, 2) !== ORIENTATION_TAG) continue
    const value = read(at + 8, read(at + 2, 2) === LONG ? 4 : 2)
    return value >= 1 && value <= 8 ? value : 1
  }
  return 1
}

/** A TIFF structure that says the orientation and nothing else. */
export function makeOrientationExif(orientation: number): Buffer {
  const header = 'MM\0\x2a\0\0\0\x08'
  const entry = `\x01\x12\0\x03\0\0\0\x01\0${String.fromCharCode(orientation)}\0\0`
  return Buffer.from(`${header}\0\x01${entry}\0\0\0\0`, 'latin1')
}
