/**
 * Who is calling, before anything of the body is read. Every route says which scope it needs, or that it is
 * public; one that says neither cannot be registered.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Authenticator, Caller } from '../keys/authenticate.ts'
import { hasScope, missingScope, type Scope } from '../keys/scopes.ts'

/** What a route asks of its caller. */
export type Access = Scope | 'public'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The scope a key must have, or `public` for no key at all. */
    access?: Access
  }
}

const callers = new WeakMap<FastifyRequest, Caller>()

/** The caller of an authenticated route. */
export function callerOf(request: FastifyRequest): Caller {
  const caller = callers.get(request)
  if (!caller) throw new Error(`${request.routeOptions.url} is public and has no caller`)
  return caller
}

/** Puts the check before every route of the server. */
export function requireAuthentication(server: FastifyInstance, authenticator: Authenticator): void {
  server.addHook('onRoute', (route) => {
    if (!route.config?.access) throw new Error(`route ${route.url} does not say who may call it`)
    const methods = [route.method].flat()
    if (route.config.access === 'public' && !methods.every((method) => method === 'GET' || method === 'HEAD'))
      throw new Error(`route ${route.url} would read the body of anybody`)
  })
  server.addHook('onRequest', async (request) => {
    const { access } = request.routeOptions.config
    if (access === undefined || access === 'public') return
    const caller = await authenticator.authenticate(bearerToken(request))
    if (!hasScope(caller.scopes, access)) throw missingScope(access)
    callers.set(request, caller)
  })
}

/** The key in an `Authorization: Bearer …` header; another scheme or shape, and a second header, are a key that nobody has. */
function bearerToken({ raw }: FastifyRequest): string | undefined {
  const header = raw.headers.authorization
  if (header === undefined || header.trim() === '') return undefined
  // Node keeps the first of several, and a proxy on the way may have judged another one.
  const sent = raw.rawHeaders.filter((text, index) => index % 2 === 0 && /^authorization$/i.test(text))
  if (sent.length > 1) return ''
  return /^bearer ([^\s]+)$/i.exec(header)?.[1] ?? ''
}
