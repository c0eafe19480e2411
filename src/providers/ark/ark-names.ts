/** What people and the environment call this provider. */
import type { ProviderNames } from '../vendor-failure.ts'

export const title = 'ByteDance Ark'
export const environment = { apiKey: 'ARK_API_KEY', baseUrl: 'ARK_BASE_URL' }
export const names: ProviderNames = { title, ...environment }
