/**
 * Reads a body into memory, never more than was allowed.
 *
 * Where the length is announced the bytes are written to their place at once, so that a picture is held once
 * and not twice.
 */

/**
 * The bytes of the body, or null as soon as there are more than `maxBytes`. `announcedBytes` is a promise of
 * the sender, not trusted: a body of another length is read all the same. The body is closed in any case.
 */
export async function readCapped(
  body: AsyncIterable<Buffer>,
  { maxBytes, announcedBytes }: { maxBytes: number; announcedBytes: number | undefined },
): Promise<Buffer | null> {
  // The memory is only taken from the machine as it is written to.
  let bytes = Buffer.allocUnsafeSlow(Math.min(announcedBytes ?? 0, maxBytes))
  let sizeBytes = 0
  for await (const chunk of body) {
    if (sizeBytes + chunk.length > maxBytes) return null
    if (sizeBytes + chunk.length > bytes.length) {
      const grown = Buffer.allocUnsafeSlow(
        Math.min(maxBytes, Math.max(2 * bytes.length, 65_536, sizeBytes + chunk.length)),
      )
      bytes.copy(grown, 0, 0, sizeBytes)
      bytes = grown
    }
    chunk.copy(bytes, sizeBytes)
    sizeBytes += chunk.length
  }
  return bytes.subarray(0, sizeBytes)
}
