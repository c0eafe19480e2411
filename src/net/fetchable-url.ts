/**
 * Reads a URL that somebody else wrote, and refuses those that no picture needs.
 *
 * The answer is always the parsed URL, whose host has one spelling: what was checked here is what is
 * connected to, and the text itself must not be used again.
 */
import { FetchFailure } from './fetch-failure.ts'

/** Ports above 1023 where a well-known service would take an HTTP request for its own words (the Fetch standard's list). */
const servicePorts = new Set([
  1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697,
  10080,
])

/** Backslashes, spaces, controls and NUL are read differently by different parsers. */
const ambiguous = /[\p{Cc}\s\\]|%00/u

/**
 * The URL, resolved against `base` where there is one, without its fragment. Throws a `FetchFailure` with
 * reason `url` unless it is http(s), has at most `maxLength` characters, no credentials, and an allowed port.
 */
export function parseFetchableUrl(text: string, maxLength: number, base?: URL): URL {
  if (text.length > maxLength) throw new FetchFailure('url', `${text.length} characters`)
  if (ambiguous.test(text)) throw new FetchFailure('url', 'ambiguous characters')
  const url = URL.parse(text, base?.href)
  if (!url) throw new FetchFailure('url', 'no URL')
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new FetchFailure('url', `scheme ${url.protocol.slice(0, 20)}`)
  }
  if (url.username || url.password) throw new FetchFailure('url', 'credentials')
  if (!isAllowedPort(url.port)) throw new FetchFailure('url', `port ${url.port}`)
  if (base?.protocol === 'https:' && url.protocol === 'http:') {
    throw new FetchFailure('url', 'redirect from https to http')
  }
  url.hash = ''
  return url
}

/** 80, 443 and what needs no privilege to listen on. An empty port is the scheme's own. */
function isAllowedPort(port: string): boolean {
  const number = Number(port)
  return port === '' || number === 80 || number === 443 || (number >= 1024 && !servicePorts.has(number))
}
