/** The two vocabularies of quality: standard is medium and hd is high, in the words a model has. */

const twins: Record<string, string> = {
  standard: 'medium',
  hd: 'high',
  medium: 'standard',
  high: 'hd',
}

/** The newer one of the two words for the same quality. */
export function newerWord(quality: string): string {
  return quality === 'standard' || quality === 'hd' ? (twins[quality] ?? quality) : quality
}

/** The quality in one of the `values`; as it is where they have no word for it. */
export function translateQuality(quality: string, values: readonly string[] | undefined): string {
  if (!values || values.includes(quality)) return quality
  const twin = twins[quality]
  return twin !== undefined && values.includes(twin) ? twin : quality
}
