/** Is a provider a machine of the operator's own? Then the result URLs it hands out may be private too. */
import ipaddr from 'ipaddr.js'

/**
 * True for a base URL whose host is a literal address outside the public internet, or a name that public DNS
 * does not serve: one without a dot (as in Docker networks), or under localhost, local, internal or home.arpa.
 */
export function hasPrivateHost(baseUrl: string): boolean {
  const host = new URL(baseUrl).hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  if (ipaddr.isValid(host)) return ipaddr.process(host).range() !== 'unicast'
  return !host.includes('.') || /\.(localhost|local|internal|home\.arpa)$/.test(host)
}
