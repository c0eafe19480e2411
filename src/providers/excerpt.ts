/**
 * What may be quoted from a provider. Upstreams put keys, prompts, signed links and whole pictures into their
 * error texts; a quotation goes to callers and logs. Secrets of a known form are cut out; a text that repeats
 * any of the request is not quoted at all, because what is left around an echo may be another piece of it.
 */

const limit = 300
/** Long enough for any real error sentence, short enough to search cheaply. */
const searchedLength = 2_000
/** An echo is recognised by this many equal characters, or words; providers often quote only a part. */
const echoLength = 16
const echoWords = 4

const patterns: readonly [RegExp, string][] = [
  // Signatures and tokens ride in queries and before the @ of a URL.
  [/(https?:\/\/)[^\s/?#@"']*@/gi, '$1'],
  [/(https?:\/\/[^\s?#"']*)[?#][^\s"']*/gi, '$1'],
  [/[?&](?:sig|signature|token|key|api_?key|x-amz-[a-z-]+)=[^\s"'&]*/gi, '[key]'],
  [/[\w.%+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+/g, '[address]'],
  [/\b(?:bearer|basic)\s+[\w.~+/=*:-]{4,}/gi, '[key]'],
  [/(?<![A-Za-z0-9])sk-[\w*.-]+/g, '[key]'],
  // Gesso's own, Replicate, Hugging Face, AWS, Google, fal.
  [/(?:gs|r8|hf)_[A-Za-z0-9]{10,}/g, '[key]'],
  [/A[KS]IA[A-Z0-9]{12,}/g, '[key]'],
  [/AIza[\w-]{20,}/g, '[key]'],
  [/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}:[0-9a-f]{8,}/gi, '[key]'],
  [/[A-Za-z0-9+/_-]{60,}={0,2}/g, '[…]'],
]

/**
 * One line of at most 300 characters of `text`, without control characters, keys, addresses and base64. A text
 * that repeats one of `withheld` (API keys, the prompt, the user's id), whole or in part, in another case, spacing
 * or escaping, is replaced by a remark. Time is linear in both, so a long prompt costs little.
 */
export function excerpt(text: string, withheld: readonly string[] = []): string {
  let safe = text.slice(0, searchedLength)
  if (repeatsAny(plain(safe), withheld.map(plain))) return '(withheld: it repeated the request)'
  for (const [pattern, replacement] of patterns) safe = safe.replace(pattern, replacement)
  safe = safe.replace(/[\p{C}\s]+/gu, ' ').trim()
  return safe.length <= limit ? safe : `${safe.slice(0, limit - 1).toWellFormed()}…`
}

/** Words in lower case with one space between them; JSON's escapes, however often escaped, are undone. */
function plain(text: string): string {
  return text
    .replace(/\\+u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/\\+[bfnrt]/g, ' ')
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\p{P}\p{Z}\p{C}]+/gu, ' ')
    .trim()
}

function repeatsAny(text: string, secrets: readonly string[]): boolean {
  const runs = new Set(runsOf(text))
  const phrases = new Set(phrasesOf(text))
  return secrets.some((secret) => {
    // One letter is no secret, and a short one counts only as a word of its own.
    if (secret.length < 2) return false
    if (secret.length < 4 ? ` ${text} `.includes(` ${secret} `) : text.includes(secret)) return true
    return (
      runsOf(secret).some((run) => runs.has(run)) || phrasesOf(secret).some((phrase) => phrases.has(phrase))
    )
  })
}

function runsOf(text: string): string[] {
  const length = Math.max(text.length - echoLength + 1, 0)
  return Array.from({ length }, (_, start) => text.slice(start, start + echoLength))
}

function phrasesOf(text: string): string[] {
  const words = text.split(' ')
  const length = Math.max(words.length - echoWords + 1, 0)
  return Array.from({ length }, (_, start) => words.slice(start, start + echoWords).join(' '))
}
