/** Starts taking requests, and says where. */
import type { FastifyInstance } from 'fastify'

/** Listens. Throws a sentence where the port is taken or may not be used. */
export async function listen(server: FastifyInstance, where: { host: string; port: number }): Promise<void> {
  try {
    await server.listen({ host: where.host, port: where.port })
  } catch (error) {
    throw new Error(whyNot(where, error), { cause: error })
  }
}

/** The address as this machine reaches it, such as `http://127.0.0.1:4100`; a wildcard is given as loopback. */
export function listeningUrl(server: FastifyInstance): string {
  const address = server.server.address()
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on a port')
  const host = address.address === '0.0.0.0' || address.address === '::' ? '127.0.0.1' : address.address
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`
}

function whyNot({ host, port }: { host: string; port: number }, error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code
  const place = `${host}:${port}`
  if (code === 'EADDRINUSE')
    return `${place} is in use by another program. Stop it, or choose another port with GESSO_PORT.`
  if (code === 'EACCES')
    return `${place} may not be used by this user. Choose a port above 1023 with GESSO_PORT.`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `${host} is no address of this machine. Choose another with GESSO_HOST.`
  return `Gesso cannot listen on ${place}: ${(error as Error).message}`
}
