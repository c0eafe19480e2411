/** Where an Azure OpenAI resource takes its calls: on the v1 API, or below the deployment on the older, dated versions. */
import type { ImageCall } from '../images-api-request.ts'

/**
 * The address of a resource, whichever of its addresses the operator has copied: with or without `/openai`,
 * `/openai/v1` or the whole path of a deployment.
 */
export function resourceOf(endpoint: string): string {
  const { origin, pathname } = new URL(endpoint)
  return `${origin}${pathname.replace(/(\/openai(\/v1(\/images\/.*)?|\/deployments\/.*)?)?\/*$/i, '')}`
}

/** The URL of one operation. (Microsoft's "Azure OpenAI image generation models" and API version lifecycle, read 2026-11-20.) */
export function operationUrl(
  resource: string,
  { path, deployment, apiVersion }: { path: ImageCall['path']; deployment: string; apiVersion?: string },
): string {
  if (apiVersion !== undefined && /^\d/.test(apiVersion)) {
    return `${resource}/openai/deployments/${encodeURIComponent(deployment)}${path}?api-version=${apiVersion}`
  }
  return `${resource}/openai/v1${path}${apiVersion === undefined ? '' : `?api-version=${apiVersion}`}`
}
