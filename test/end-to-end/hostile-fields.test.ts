/**
 * An attacker with a key, in the fields around the pictures: those that would move a provider's key elsewhere, and
 * names, numbers and texts that are read in two ways. At every door that draws.
 */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openWorld, type World } from '../setup/world.ts'
import { fakePicture } from '../upstreams/fake-picture.ts'
import { type FakeUpstream, fakeOpenAiKey, startFakeOpenAi } from '../upstreams/openai.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely, as a client of a JSON API does.
type Json = any

const model = 'local/edit'
const config = `models:
  - id: ${model}
    provider: openai
    supports: [image, mask, seed, safety_identifier, lora_weights, lora_scale, extra_lora_weights, sequential_image_generation, negative_prompt]
`
const mebibyte = 1024 * 1024

const cleanUps = new AsyncDisposableStack()
let world: World
let upstream: FakeUpstream
let picture: string

beforeAll(async () => {
  picture = (await fakePicture({ width: 64, height: 48, format: 'png', index: 0 })).toString('base64')
  upstream = await startFakeOpenAi({ dialect: 'openai-compatible', otherSize: { width: 64, height: 64 } })
  cleanUps.defer(() => upstream.close())
  const folder = mkdtempSync(join(tmpdir(), 'gesso-fields-'))
  cleanUps.defer(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'gesso.yaml'), config)
  world = cleanUps.use(
    await openWorld({
      GESSO_CONFIG: join(folder, 'gesso.yaml'),
      GESSO_REQUESTS_PER_MINUTE: '100000',
      OPENAI_API_KEY: fakeOpenAiKey,
      OPENAI_BASE_URL: upstream.url,
    }),
  )
})
afterAll(() => cleanUps.disposeAsync())
beforeEach(() => {
  upstream.requests.length = 0
})

const generations = '/v1/images/generations'
const edits = '/v1/images/edits'
const variations = '/v1/images/variations'
const buckets = '/api/v1/images/generations'
const aliyun = '/aliyun/v1/images/generations'
const jsonDoors = [generations, edits, variations, buckets, aliyun]

/** The smallest body that draws at this door, with fields beside it. */
function bodyFor(path: string, { prompt = 'a hat', ...fields }: Record<string, unknown> = {}): object {
  if (path === aliyun) return { model, input: { prompt }, ...fields }
  if (path === variations) return { model, image: picture, ...fields }
  return { model, prompt, ...(path === edits ? { image: picture } : {}), ...fields }
}

async function post(path: string, body: object | string | Buffer, headers: Record<string, string> = {}) {
  const isRaw = typeof body === 'string' || Buffer.isBuffer(body)
  const response = await fetch(new URL(path, world.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${world.key}`, 'content-type': 'application/json', ...headers },
    body: isRaw ? (body as string) : JSON.stringify(body),
  })
  const text = await response.text()
  return { status: response.status, text, json: JSON.parse(text) as Json, headers: response.headers }
}

async function postForm(fields: Record<string, string>, filename = 'a.png') {
  const form = new FormData()
  for (const [name, value] of Object.entries({ model, prompt: 'a hat', ...fields })) form.append(name, value)
  form.append('image', new Blob([Buffer.from(picture, 'base64')]), filename)
  const headers = { authorization: `Bearer ${world.key}` }
  const response = await fetch(new URL(edits, world.url), { method: 'POST', headers, body: form })
  return { status: response.status, json: (await response.json()) as Json }
}

const lastAsked = (): Json => upstream.requests.at(-1)?.body

describe('no field moves the key of a provider elsewhere', () => {
  const fields = {
    api_base: 'http://127.0.0.1:9/v1',
    base_url: 'http://127.0.0.1:9/v1',
    endpoint: 'http://127.0.0.1:9/v1',
    api_key: 'sk-mine',
    headers: { authorization: 'Bearer mine' },
    extra_body: { model: 'other' },
    provider: 'other',
    webhook: 'http://127.0.0.1:9/',
  }

  test.each(jsonDoors)('POST %s', async (path) => {
    for (const [name, value] of Object.entries(fields)) {
      const bodies: [param: string, body: object][] = [[name, bodyFor(path, { [name]: value })]]
      if (path === aliyun) {
        bodies.push([`parameters.${name}`, bodyFor(path, { parameters: { [name]: value } })])
        bodies.push([`input.${name}`, { model, input: { prompt: 'x', [name]: value } }])
      }
      for (const [param, body] of bodies) {
        const { status, json } = await post(path, body)
        expect([status, json.error.code, json.error.param]).toEqual([400, 'unknown_parameter', param])
      }
    }
    expect(upstream.requests).toHaveLength(0)
  })

  test('a form neither', async () => {
    for (const [name, value] of Object.entries(fields)) {
      for (const text of [value, { [name]: value }].map((one) =>
        typeof one === 'string' ? one : JSON.stringify(one),
      )) {
        const { status, json } = await postForm({ [name]: text })
        expect([status, json.error.code, json.error.param]).toEqual([400, 'unknown_parameter', name])
      }
    }
    expect(upstream.requests).toHaveLength(0)
  })

  test('under handling=lenient they are warnings, and the provider never hears of them', async () => {
    const { status, json } = await post(generations, bodyFor(generations, fields), {
      prefer: 'handling=lenient',
    })
    expect(status).toBe(200)
    expect(json.warnings.map((warning: Json) => warning.param)).toEqual(
      expect.arrayContaining(Object.keys(fields)),
    )
    expect(upstream.requests).toHaveLength(1)
    expect(lastAsked()).not.toMatchObject({ api_key: expect.anything() })
    for (const name of Object.keys(fields)) expect(lastAsked()).not.toHaveProperty(name)
    expect(upstream.requests[0]?.headers.authorization).toBe(`Bearer ${fakeOpenAiKey}`)
  })
})

test('a model is looked up and never becomes part of an address', async () => {
  const names = [
    '../../v1/files',
    'local%2fedit',
    'local/edit?key=x',
    'local/edit#b',
    'local/edit/../x',
    '__proto__',
    'constructor',
    'local/edit\r\nx: y',
  ]
  for (const path of jsonDoors) {
    for (const name of names) {
      const { status, json } = await post(path, { ...bodyFor(path), model: name })
      expect([status, json.error.code], `${path} ${name}`).toEqual([404, 'model_not_found'])
    }
    const { status, text } = await post(path, { ...bodyFor(path), model: 'x'.repeat(mebibyte) })
    expect([status, text.length < 2_000]).toEqual([400, true])
  }
  expect(upstream.requests).toHaveLength(0)
})

test('text that could end a header stays text', async () => {
  for (const evil of ['a\r\nx-injected: 1', 'Ā', '"; filename="x', '💥\u2028']) {
    const asked = await post(generations, bodyFor(generations, { user: evil, metadata: { label: evil } }))
    expect(asked.status).toBe(200)
    expect(lastAsked().user).toBe(evil)
    const form = await postForm({ user: evil, 'metadata[label]': evil }, evil)
    expect(form.status).toBe(200)
    // A form ends its lines by CRLF, and its senders write every other line end so.
    expect(lastAsked().user).toBe(evil)
    expect(lastAsked().image.filename).toBe('image.png')
    for (const { headers } of upstream.requests) expect(headers).not.toHaveProperty('x-injected')
    expect([200, 400]).toContain((await post(generations, bodyFor(generations, { bucket: evil }))).status)
  }
})

test('a LoRA is a name or an https address of a public host', async () => {
  const evil = [
    ...'file:///etc/passwd http://169.254.169.254/latest http://example.com/x javascript:alert(1)'.split(' '),
    ...'https://127.0.0.1/x https://10.0.0.1/x https://2130706433/x https://0x7f.1/x https://[::1]/x'.split(
      ' ',
    ),
    ...'https://localhost/x https://localhost./x https://x.localhost/y https://printer.local/x'.split(' '),
    ...'https://metadata.google.internal/x https://router.home.arpa/x https://METADATA.Internal/x'.split(' '),
    ...'https://[::ffff:7f00:1]/x https://user:pw@example.com/x https://user@example.com/x'.split(' '),
    ...'../../x a/../../x /etc/passwd .. C:\\x \\\\host\\share owner/name?token=x //127.0.0.1/x'.split(' '),
    ...'https:/\\127.0.0.1/x https://example.com\\@127.0.0.1/'.split(' '),
    ...[' https://example.com/', 'a b', 'owner/name\n', 'owner/na\tme'],
  ]
  for (const name of evil) {
    for (const fields of [
      { lora_weights: name },
      { lora_weights: 'owner/name', extra_lora_weights: [name] },
    ]) {
      const { status, json } = await post(generations, bodyFor(generations, fields))
      expect([status, json.error?.param?.split('.')[0]], name).toEqual([400, Object.keys(fields).at(-1)])
    }
    expect((await postForm({ lora_weights: name })).status, name).toBe(400)
  }
  expect(upstream.requests).toHaveLength(0)
  for (const name of [
    'owner/name',
    'https://example.com/lora.safetensors',
    'huggingface.co/owner/name',
    'owner/name:v1.2',
  ]) {
    expect((await post(generations, bodyFor(generations, { lora_weights: name }))).status, name).toBe(200)
    expect(lastAsked().lora_weights).toBe(name)
  }
})

describe('numbers are taken as they were written, or refused', () => {
  const raw = (path: string, field: string) =>
    path === aliyun
      ? `{"model":"${model}","input":{"prompt":"x"},"parameters":{${field}}}`
      : `{"model":"${model}","prompt":"x",${path === edits ? `"image":"${picture}",` : ''}${field}}`

  test.each([generations, edits, aliyun])('POST %s', async (path) => {
    const seeds: [written: string, sent: string | undefined][] = [
      ['9007199254740993', undefined],
      ['1e309', undefined],
      ['-1', undefined],
      ['1.5', undefined],
      ['"7"', undefined],
      ['4294967296', undefined],
      ['true', undefined],
      ['[7]', undefined],
      ['NaN', undefined],
      ['07', undefined],
      ['-0', '0'],
      ['0', '0'],
      ['4294967295', '4294967295'],
      ['1e2', '100'],
    ]
    for (const [written, sent] of seeds) {
      upstream.requests.length = 0
      const { status, json } = await post(path, raw(path, `"seed":${written}`))
      expect([status, upstream.requests.length], written).toEqual(sent === undefined ? [400, 0] : [200, 1])
      if (sent !== undefined)
        expect([String(lastAsked().seed), json.data[0].seed], written).toEqual([sent, Number(sent)])
    }
    for (const n of ['"10"', '10.5', '1e309', '11', '0', '-1', 'true']) {
      expect((await post(path, raw(path, `"n":${n}`))).status, n).toBe(400)
    }
  })

  test('a form', async () => {
    for (const seed of [
      '9007199254740993',
      '1e309',
      '1e1',
      '0x10',
      ' 7',
      '7 ',
      '１',
      '1_0',
      '-1',
      '1.5',
      'NaN',
      'Infinity',
    ]) {
      const { status, json } = await postForm({ seed })
      expect([status, json.error?.param], seed).toEqual([400, 'seed'])
    }
    expect(upstream.requests).toHaveLength(0)
    expect((await postForm({ seed: '4294967295' })).json.data[0].seed).toBe(4_294_967_295)
  })

  test('what was written twice is one value for all: what is counted, what is sent and what is stored', async () => {
    const { status, json } = await post(generations, raw(generations, '"n":1,"n":3'))
    expect([status, json.data.length, lastAsked().n]).toEqual([200, 3, 3])
    expect((await post(generations, raw(generations, '"n":3,"n":11'))).status).toBe(400)
    const large = Buffer.alloc(2 * mebibyte).toString('base64')
    upstream.requests.length = 0
    const twice = await post(generations, raw(generations, `"image":"${large}","image":"${picture}"`))
    expect([twice.status, upstream.requests.length]).toEqual([400, 0])
    await expectEmptySpool()
  })

  test('a series of many pictures cannot be asked for many times', async () => {
    upstream.requests.length = 0
    const series = {
      sequential_image_generation: 'auto',
      sequential_image_generation_options: { max_images: 15 },
    }
    const many = await post(generations, bodyFor(generations, { n: 10, ...series }))
    expect([many.status, many.json.error.param]).toEqual([400, 'n'])
    expect(upstream.requests).toHaveLength(0)
    const one = await post(generations, bodyFor(generations, series))
    expect([one.status, one.json.data.length, upstream.requests.length]).toEqual([200, 15, 1])
    const more = { sequential_image_generation_options: { max_images: 16 } }
    expect((await post(generations, bodyFor(generations, { ...series, ...more }))).status).toBe(400)
  })
})

test('texts are kept as they were sent, or refused', async () => {
  const kept = [
    'a\u202Eb',
    `e${'\u0301'.repeat(20_000)}`,
    '\uFEFFx',
    '\u001b[31mred',
    'a\u0007b',
    '👩‍👩‍👧‍👦',
    '</script>',
    "'; drop table tasks; --",
  ]
  for (const path of [generations, edits, buckets, aliyun]) {
    for (const prompt of kept) {
      const { status, headers } = await post(path, bodyFor(path, { prompt }))
      expect([status, lastAsked().prompt], path).toEqual([200, prompt])
      const task = (await (
        await world.call(`${generations}/${headers.get('x-gesso-task-id')}`)
      ).json()) as Json
      expect(task.prompt).toBe(prompt)
    }
    upstream.requests.length = 0
    for (const prompt of ['a\\u0000b', 'a\\ud83d', '\\udc00b']) {
      const body = JSON.stringify(bodyFor(path, { prompt: 'HERE' })).replace('HERE', prompt)
      const { status, json } = await post(path, body)
      expect([status, json.error.param], path).toEqual([400, path === aliyun ? 'input.prompt' : 'prompt'])
    }
    const marked = await post(
      path,
      Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(JSON.stringify(bodyFor(path)))]),
    )
    expect([200, 400]).toContain(marked.status)
  }
})

async function expectEmptySpool(): Promise<void> {
  const files = () =>
    readdirSync(world.dataDir, { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile() && entry.parentPath.includes('spool'),
    )
  await expect.poll(files).toEqual([])
}
