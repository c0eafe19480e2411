/** What a bucket may be called: any label, brought into lower-case kebab. */

const maxCharacters = 64

/**
 * `Cats And Dogs` becomes `cats-and-dogs`: runs of anything but a–z and 0–9 become one dash, dashes at the ends go,
 * at most 64 characters stay. Undefined where nothing is left.
 */
export function normaliseBucketName(label: string): string | undefined {
  const kebab = label
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-/, '')
    .slice(0, maxCharacters)
    .replace(/-$/, '')
  return kebab === '' ? undefined : kebab
}
