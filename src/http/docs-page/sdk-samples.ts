/**
 * Generating a picture with the `openai` packages. Values come as literals of the language, so that no example
 * can run as anything but data.
 */

/** For npm's `openai`. `baseUrl` has no slash at its end. */
export function nodeSample(baseUrl: string, body: object): string {
  return `import OpenAI from "openai"

const client = new OpenAI({
  baseURL: ${JSON.stringify(`${baseUrl}/v1`)},
  apiKey: process.env.GESSO_API_KEY,
})

const images = await client.images.generate(${toSource(body)})

console.log(images.data[0].url)`
}

/** JSON is JavaScript; only its keys are usually written without quotes. */
function toSource(value: object): string {
  return JSON.stringify(value, null, 2).replace(/^( *)"([A-Za-z_]\w*)": /gm, '$1$2: ')
}

/** The fields that PyPI's `openai` takes by name; it refuses others, except inside `extra_body`. */
const pythonFields = new Set(
  `background model moderation n output_compression output_format partial_images prompt quality response_format
  size stream style user`.split(/\s+/),
)

/** For PyPI's `openai`. `baseUrl` has no slash at its end. */
export function pythonSample(baseUrl: string, body: object): string {
  const named = Object.entries(body).filter(([name]) => pythonFields.has(name))
  const others = Object.entries(body).filter(([name]) => !pythonFields.has(name))
  if (others.length > 0) named.push(['extra_body', Object.fromEntries(others)])
  return `import os
from openai import OpenAI

client = OpenAI(
    base_url=${pythonLiteral(`${baseUrl}/v1`)},
    api_key=os.environ["GESSO_API_KEY"],
)

images = client.images.generate(
${named.map(([name, value]) => `    ${name}=${pythonLiteral(value)},`).join('\n')}
)

print(images.data[0].url)`
}

/** JSON's strings and numbers are Python's too; its constants are not. */
function pythonLiteral(value: unknown): string {
  if (value === null || value === undefined) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (Array.isArray(value)) return `[${value.map(pythonLiteral).join(', ')}]`
  if (typeof value !== 'object') return JSON.stringify(value)
  const pairs = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}: ${pythonLiteral(inner)}`)
  return `{${pairs.join(', ')}}`
}
