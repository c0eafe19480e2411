/**
 * The curl command line of an operation. Everything that comes from the document is quoted for the shell, so that
 * no example or address can run as anything but data.
 */
import { exampleBody } from './example-body.ts'
import type { ListedOperation, OpenApiDocument } from './openapi-document.ts'
import { shellEscape, shellQuote } from './shell-quote.ts'

/** Works as it stands in a POSIX shell, once the variables in it are set. `baseUrl` has no slash at its end. */
export function curlSample(document: OpenApiDocument, listed: ListedOperation, baseUrl: string): string {
  const body = exampleBody(document, listed)
  const usual = body === undefined ? 'get' : 'post'
  const method = listed.method === usual ? '' : `-X ${listed.method.toUpperCase()} `
  const lines = [`curl ${method}${quotedUrl(listed, baseUrl)}`]
  if (listed.needsKey) lines.push('-H "Authorization: Bearer $GESSO_API_KEY"')
  if (body !== undefined) {
    // Strings in JSON hold no line breaks, so indenting its lines leaves the values as they are.
    const json = JSON.stringify(body, null, 2).replaceAll('\n', '\n  ')
    lines.push(`-H ${shellQuote('Content-Type: application/json')}`, `-d ${shellQuote(json)}`)
  }
  return lines.join(' \\\n  ')
}

/** A value that every installation has, so that the sample runs at once. */
const knownValues: Record<string, string> = { model: 'gesso-collage' }

/** A path parameter without an example stands as a shell variable: `{task_id}` is `$TASK_ID`. */
function quotedUrl({ path, operation }: ListedOperation, baseUrl: string): string {
  let hasVariable = false
  const parts = path.split(/\{([^}]*)\}/).map((part, index) => {
    if (index % 2 === 0) return part
    const parameter = operation.parameters?.find(({ name }) => name === part)
    const example = parameter?.example ?? parameter?.schema?.example ?? knownValues[part]
    if (example !== undefined) return encodeURIComponent(String(example))
    hasVariable = true
    return { variable: part.replace(/\W/g, '_').toUpperCase() }
  })
  if (!hasVariable) return shellQuote([baseUrl, ...parts].join(''))
  return `"${[baseUrl, ...parts].map((part) => (typeof part === 'string' ? shellEscape(part) : `$${part.variable}`)).join('')}"`
}
