/**
 * Decides which IP addresses Gesso may connect to on somebody else's word.
 *
 * It compares numbers, never text, as one address has many spellings. IPv6 is a list of what is allowed,
 * since IPv4 can hide in it in half a dozen ways: an address that embeds another one is refused whatever
 * it embeds, for a router on the way may unwrap it.
 */
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import ipaddr from 'ipaddr.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6
type Network = [Address, number]

/** The IANA registry of special-purpose IPv4 addresses, and what clouds keep to themselves. */
const refusedIpv4 = networks([
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // carrier-grade NAT
  '127.0.0.0/8', // loopback
  '168.63.129.16/32', // Azure's host agent: a public number that is only ever reached from inside
  '169.254.0.0/16', // link-local, where clouds serve credentials
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16', // private
  '198.18.0.0/15', // benchmarking
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, with the broadcast address
])

/** Global unicast. Loopback, mapped, NAT64, unique local, link-local and multicast all lie outside. */
const allowedIpv6 = networks(['2000::/3'])

/** What is special within global unicast. */
const refusedIpv6 = networks([
  '2001::/23', // protocol assignments: Teredo, benchmarking, ORCHID, drone ids
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4
  '3fff::/20', // documentation
])

/** Is this the text of an address of the public internet? Anything that is no address is not public. */
export function isPublicAddress(ip: string): boolean {
  const address = parseAddress(ip)
  if (!address) return false
  if (address.kind() === 'ipv4') return !isWithin(address, refusedIpv4)
  return isWithin(address, allowedIpv6) && !isWithin(address, refusedIpv6) && !isIsatap(address)
}

/** Says whether Gesso may connect to this address. */
export type AddressGuard = (ip: string) => boolean

export interface AddressGuardOptions {
  /** Networks to open beside the public ones, in CIDR notation: `192.168.1.0/24`. */
  allowPrivate: readonly string[]
  /** The addresses of this machine, asked anew each time as they change; for tests. */
  ownAddresses?: () => string[]
}

/**
 * A guard that lets through public addresses other than this machine's own, and the networks of the list.
 * Throws a RangeError that names the first entry of the list that is no CIDR.
 */
export function createAddressGuard(options: AddressGuardOptions): AddressGuard {
  const opened = networks(options.allowPrivate)
  const ownAddresses = options.ownAddresses ?? addressesOfThisMachine
  return (ip) => {
    const address = parseAddress(ip)
    if (!address) return false
    if (isWithin(address, opened)) return true
    return isPublicAddress(ip) && !ownAddresses().some((own) => isSame(address, parseAddress(own)))
  }
}

function networks(cidrs: readonly string[]): Network[] {
  return cidrs.map((cidr) => {
    const [address = '', prefix = ''] = cidr.split('/')
    // ipaddr.js also takes octal and shortened numbers, which mean other addresses to other readers.
    if (isIP(address) && /^\d{1,3}$/.test(prefix) && ipaddr.isValidCIDR(cidr)) return ipaddr.parseCIDR(cidr)
    throw new RangeError(`"${cidr}" is no network in CIDR notation, such as 192.168.1.0/24`)
  })
}

/** Undefined for what is no address in its plain spelling, and for one bound to an interface (`fe80::1%eth0`). */
function parseAddress(text: string): Address | undefined {
  return isIP(text) && !text.includes('%') ? ipaddr.parse(text) : undefined
}

function isWithin(address: Address, list: readonly Network[]): boolean {
  return list.some((network) => address.kind() === network[0].kind() && address.match(network))
}

/** ISATAP (RFC 5214) may use any prefix; its interface identifier is 0000:5efe or 0200:5efe, then an IPv4. */
function isIsatap(address: Address): boolean {
  const bytes = address.toByteArray()
  const [first = 0, second, third, fourth] = bytes.slice(8)
  return (first & 0xfd) === 0 && second === 0 && third === 0x5e && fourth === 0xfe
}

function isSame(address: Address, other: Address | undefined): boolean {
  return other?.toNormalizedString() === address.toNormalizedString()
}

function addressesOfThisMachine(): string[] {
  return Object.values(networkInterfaces()).flatMap(
    (addresses) => addresses?.map((each) => each.address) ?? [],
  )
}
