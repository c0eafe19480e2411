import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { curlSample } from './curl-sample.ts'
import type { ListedOperation, OpenApiOperation } from './openapi-document.ts'

const run = promisify(execFile)
const document = { info: { title: 'Gesso', version: '1' } }

/** Runs the sample in a real shell with a `curl` that prints its arguments, and answers those. */
async function argumentsOf(sample: string): Promise<string[]> {
  const script = `curl() { printf '%s\\0' "$@"; }\n${sample}`
  const env = { PATH: process.env.PATH, GESSO_API_KEY: 'gs_key', TASK_ID: 'task_1' }
  const { stdout } = await run('bash', ['-c', script], { env })
  return stdout.split('\0').slice(0, -1)
}

function list(
  method: ListedOperation['method'],
  path: string,
  operation: OpenApiOperation = {},
): ListedOperation {
  return { anchor: 'a', method, path, needsKey: true, operation }
}

describe('a curl sample', () => {
  it('hands every character of its body and address to curl when bash runs it', async () => {
    const body = { prompt: `the cat's "nap" $HOME \`id\` $(id) \\ !! \n\t 'é' 🦊 '; exit 1; '`, n: 2 }
    const listed = list('post', "/v1/it's/$HOME", {
      requestBody: { content: { 'application/json': { example: body } } },
    })
    const [url, ...rest] = await argumentsOf(curlSample(document, listed, 'http://[::1]:4100'))
    expect(url).toBe("http://[::1]:4100/v1/it's/$HOME")
    expect(rest.slice(0, 5)).toEqual([
      '-H',
      'Authorization: Bearer gs_key',
      '-H',
      'Content-Type: application/json',
      '-d',
    ])
    expect(JSON.parse(rest[5] ?? '')).toEqual(body)
  })

  it('expands its own variables and nothing else of the address', async () => {
    const listed = list('get', '/v1/$HOME/`id`/"/\\/{task_id}')
    const [url] = await argumentsOf(curlSample(document, listed, 'http://h$PATH'))
    expect(url).toBe('http://h$PATH/v1/$HOME/`id`/"/\\/task_1')
  })

  it('puts an example in the place of a path parameter, escaped for a URL', async () => {
    const operation = { parameters: [{ name: 'model', in: 'path', example: "a/b'c" }] }
    const [url] = await argumentsOf(
      curlSample(document, list('get', '/v1/models/{model}', operation), 'http://h'),
    )
    expect(url).toBe("http://h/v1/models/a%2Fb'c")
  })

  it('names the method where curl would choose another', async () => {
    expect((await argumentsOf(curlSample(document, list('delete', '/x'), 'http://h'))).slice(0, 2)).toEqual([
      '-X',
      'DELETE',
    ])
    expect((await argumentsOf(curlSample(document, list('post', '/x'), 'http://h'))).slice(0, 2)).toEqual([
      '-X',
      'POST',
    ])
    expect((await argumentsOf(curlSample(document, list('get', '/x'), 'http://h')))[0]).toBe('http://h/x')
  })

  it('makes a body of the required fields where the schema gives no example', async () => {
    const schema = {
      type: 'object',
      properties: {
        model: { type: 'string' },
        n: { type: 'integer', minimum: 3 },
        seed: { type: 'integer' },
      },
      required: ['model', 'n'],
    }
    const listed = list('post', '/x', { requestBody: { content: { 'application/json': { schema } } } })
    const body = (await argumentsOf(curlSample(document, listed, 'http://h'))).at(-1)
    expect(JSON.parse(body ?? '')).toEqual({ model: 'text', n: 3 })
  })
})
