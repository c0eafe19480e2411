/**
 * Where to ask for accepted work. The vendor hands out an address, often on a regional host, and asks for it to be used
 * as it is; but the key goes to the vendor's own hosts only, whatever an answer says.
 */

/** The address itself where it is the vendor's own, else nothing. */
export function ownPollingUrl(told: string | undefined, baseUrl: string): string | undefined {
  const url = told === undefined ? null : URL.parse(told)
  if (!url || url.username + url.password !== '') return undefined
  const base = new URL(baseUrl)
  const isOwn = url.origin === base.origin || (isOfficial(base) && isOfficial(url))
  return isOwn ? told : undefined
}

/** Where the work of this id is asked for where no address can be used. */
export function builtPollingUrl(id: string, baseUrl: string): string {
  return `${baseUrl}/get_result?id=${encodeURIComponent(id)}`
}

function isOfficial({ protocol, hostname, port }: URL): boolean {
  return protocol === 'https:' && port === '' && (hostname === 'bfl.ai' || hostname.endsWith('.bfl.ai'))
}
