/** `npm run upstreams`, as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { fakeGeminiKey, startFakeGemini } from './gemini.ts'

const program = fileURLToPath(new URL('./serve.ts', import.meta.url))
const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

function run(port: string) {
  const child = spawn(process.execPath, [program, '--port', port], { stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  return child
}

/** The variables that it prints, once it is ready. */
async function variablesOf({ stdout }: ReturnType<typeof run>): Promise<Map<string, string>> {
  let text = ''
  for await (const chunk of stdout) {
    text += chunk
    if (text.includes('# Ready.')) break
  }
  return new Map([...text.matchAll(/([A-Z_]+)='([^']+)'/g)].map(([, name = '', value = '']) => [name, value]))
}

describe('the fakes together', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('answer where they say, and end on %s', async (signal) => {
    const child = run('0')
    const variables = await variablesOf(child)
    const urls = [...variables].filter(([name]) => /_(URL|ENDPOINT)$/.test(name)).map(([, url]) => url)
    expect(urls).toHaveLength(8)
    expect(variables.size).toBe(2 * urls.length)
    expect(new Set(urls.map((url) => new URL(url).port)).size).toBe(urls.length)
    for (const url of urls) expect(new URL(url).hostname).toBe('127.0.0.1')

    const models = await fetch(`${variables.get('OPENAI_BASE_URL')}/models`, {
      headers: { authorization: `Bearer ${variables.get('OPENAI_API_KEY')}` },
    })
    expect(await models.json()).toMatchObject({ object: 'list', data: expect.any(Array) })
    const exited = once(child, 'exit')
    child.kill(signal)
    expect(await exited).toEqual([0, null])
  })

  test('listen on ports in a row, and say so where one is taken', async () => {
    await using taken = await startFakeGemini()
    // Gemini's is the seventh.
    const child = run(String(Number(new URL(taken.origin).port) - 6))
    const [[code], said] = await Promise.all([once(child, 'exit'), read(child)])
    expect(code).toBe(1)
    expect(said).toMatch(/^listen EADDRINUSE[^\n]+ with --port 0\.\n$/)
  })

  test.each(['abc', '', '1e3', '70000'])('say that %j is no port', async (port) => {
    const child = run(port)
    const [[code], said] = await Promise.all([once(child, 'exit'), read(child)])
    expect(code).toBe(1)
    expect(said).toMatch(/^[^\n]*--port[^\n]*\n$/)
  })
})

async function read({ stderr }: ReturnType<typeof run>): Promise<string> {
  let text = ''
  for await (const chunk of stderr) text += chunk
  return text
}

test('a fake listens where it is told to', async () => {
  const first = await startFakeGemini()
  const port = Number(new URL(first.origin).port)
  await first.close()
  await using second = await startFakeGemini({ port })
  expect(second.url).toBe(`http://127.0.0.1:${port}/v1beta`)
  const response = await fetch(`${second.url}/models/nothing:generateContent`, {
    method: 'POST',
    headers: { 'x-goog-api-key': fakeGeminiKey },
  })
  expect(response.status).toBe(404)
})
