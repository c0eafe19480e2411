/**
 * An HTTP agent that connects only where an address guard lets it.
 *
 * The check stands in the connector, the last code before the socket: whatever name led there, the addresses
 * that were checked are the ones connected to, so a name that answers differently the next time gains
 * nothing. Open sockets are used again without a new check, hence agents with different guards must
 * not be shared.
 */
import type { LookupAddress, LookupOptions } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, buildConnector } from 'undici'
import type { AddressGuard } from './address-guard.ts'
import { FetchFailure } from './fetch-failure.ts'

/** Every address of a name, in the order of preference; rejects or is empty where there is none. */
export type ResolveName = (hostname: string) => Promise<LookupAddress[]>

/** How long a host may take to accept a connection, to begin an answer, and to go on with it. */
const STEP_TIMEOUT_MS = 10_000

/** Connections to one host at a time; more wait, so that Gesso cannot be used to flood somebody. */
const CONNECTIONS_PER_ORIGIN = 8

/**
 * An agent for hosts that `allows` lets through. It follows no redirects, keeps no cookies and asks no proxy,
 * whatever the environment says. A refused host fails with a `FetchFailure` of reason `address`.
 */
export function createGuardedAgent(allows: AddressGuard, resolve: ResolveName): Agent {
  const connect = buildConnector({
    allowH2: false,
    timeout: STEP_TIMEOUT_MS,
    lookup: createGuardedLookup(allows, resolve),
  })
  return new Agent({
    allowH2: false,
    connections: CONNECTIONS_PER_ORIGIN,
    headersTimeout: STEP_TIMEOUT_MS,
    bodyTimeout: STEP_TIMEOUT_MS,
    connect(options, callback) {
      // Node resolves nothing, and so asks no `lookup`, where the host is an address already.
      if (isIP(options.hostname) && !allows(options.hostname)) callback(refusal(options.hostname), null)
      else connect(options, callback)
    },
  })
}

function createGuardedLookup(allows: AddressGuard, resolve: ResolveName): LookupFunction {
  return (hostname, options, callback) => {
    resolveChecked(hostname, allows, resolve).then(
      (addresses) => answer(addresses, options, callback),
      (error) => callback(error, []),
    )
  }
}

/** One forbidden address among many refuses the name: which one is connected to is not ours to choose. */
async function resolveChecked(
  hostname: string,
  allows: AddressGuard,
  resolve: ResolveName,
): Promise<[LookupAddress, ...LookupAddress[]]> {
  const [first, ...others] = await resolve(hostname).catch((cause) => {
    throw new FetchFailure('address', `${hostname} does not resolve`, { cause })
  })
  if (!first) throw new FetchFailure('address', `${hostname} has no address`)
  for (const { address } of [first, ...others]) {
    if (!allows(address)) throw refusal(`${hostname} (${address})`)
  }
  return [first, ...others]
}

/** Node asks for `all` addresses when it may try several, and takes nothing but a list then. */
function answer(
  addresses: [LookupAddress, ...LookupAddress[]],
  options: LookupOptions,
  callback: Parameters<LookupFunction>[2],
): void {
  if (options.all) callback(null, addresses)
  else callback(null, addresses[0].address, addresses[0].family)
}

function refusal(host: string): FetchFailure {
  return new FetchFailure('address', `${host} is not allowed`)
}
