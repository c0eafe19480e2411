/**
 * Where the questions about a request go. fal hands the addresses out and asks that they be used; the key goes to fal's
 * own hosts only, so an address that leads elsewhere is built from the base URL instead.
 */
import type { FalOperation } from './fal-schema.ts'

/** Apps of these have a word before their owner. */
const namespaces = ['workflows', 'comfy']

export type Question = 'status' | 'response' | 'cancel'

/** The address of a question about the operation. */
export function addressOf(question: Question, operation: FalOperation, baseUrl: string): string {
  const { id, endpoint } = operation
  const told = { status: operation.statusUrl, response: operation.responseUrl, cancel: operation.cancelUrl }
  const url = told[question]
  if (url !== undefined && isOwn(url, baseUrl)) return url
  const request = `${baseUrl}/${pathOf(appOf(endpoint))}/requests/${encodeURIComponent(id)}`
  return question === 'response' ? request : `${request}/${question}`
}

/** Where the work is sent. */
export function submissionAddress(endpoint: string, baseUrl: string, webhookUrl: string | undefined): string {
  const query = webhookUrl === undefined ? '' : `?${new URLSearchParams({ fal_webhook: webhookUrl })}`
  return `${baseUrl}/${pathOf(endpoint)}${query}`
}

/** The app is the owner and the name; what follows them is a path within it. */
function appOf(endpoint: string): string {
  const parts = endpoint.split('/')
  return parts.slice(0, namespaces.includes(parts[0] ?? '') ? 3 : 2).join('/')
}

function pathOf(endpoint: string): string {
  return endpoint.split('/').map(encodeURIComponent).join('/')
}

/** May the key go there? */
function isOwn(address: string, baseUrl: string): boolean {
  if (!URL.canParse(address)) return false
  const url = new URL(address)
  const base = new URL(baseUrl)
  if (url.username || url.password) return false
  return url.origin === base.origin || (isFal(base) && isFal(url))
}

function isFal({ protocol, host }: URL): boolean {
  return protocol === 'https:' && (host === 'fal.run' || host.endsWith('.fal.run'))
}
