import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { nodeSample, pythonSample } from './sdk-samples.ts'

const body = {
  model: 'gesso-collage',
  prompt: `it's "x": \${1}\n\\ \`y\``,
  seed: 7,
  metadata: { 'a-b': 'c', d: 'e' },
}

it('hands the whole body to the npm package when the sample runs', async () => {
  const calls: unknown[] = []
  class OpenAI {
    images = {
      generate: async (given: unknown) => {
        calls.push(given)
        return { data: [{ url: 'https://h/i' }] }
      },
    }
  }
  const script = nodeSample('http://h', body).replace(/^import.*/, '')
  const surroundings = { OpenAI, process: { env: {} }, console: { log: () => undefined } }
  await runInNewContext(`(async () => {${script}})()`, surroundings)
  expect(JSON.parse(JSON.stringify(calls))).toEqual([body])
})

it('gives Python its own constants, and unknown fields as extra_body', () => {
  const sample = pythonSample('http://h', {
    prompt: 'a "b"',
    stream: false,
    user: null,
    seed: 7,
    tags: [true],
  })
  expect(sample).toContain('    prompt="a \\"b\\"",\n    stream=False,\n    user=None,\n')
  expect(sample).toContain('    extra_body={"seed": 7, "tags": [True]},\n)')
})
