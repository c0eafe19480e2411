/** Says a limit in bytes so that people and programs both understand it. */

const mebibyte = 1024 * 1024

/** `50 MiB (52428800 bytes)`, or `1000 bytes` where it is no whole number of mebibytes. */
export function sizeInWords(sizeBytes: number): string {
  const isRound = sizeBytes >= mebibyte && sizeBytes % mebibyte === 0
  return isRound ? `${sizeBytes / mebibyte} MiB (${sizeBytes} bytes)` : `${sizeBytes} bytes`
}
