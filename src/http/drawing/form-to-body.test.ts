import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createSpool, type SpooledFile } from '../../inputs/spool.ts'
import { MultipartBody } from '../multipart-body.ts'
import { formToBody } from './form-to-body.ts'

const spool = createSpool({
  directory: mkdtempSync(join(tmpdir(), 'gesso-form-')),
  memoryBytes: 1_000,
  budgetBytes: 1_000_000,
})
const file = (bytes = 'bytes'): Promise<SpooledFile> => spool.keep(Buffer.from(bytes))

/** Parts in order: a text, or a file, which has a name of its own unless told. */
function read(...parts: [name: string, content: string | SpooledFile, filename?: string][]) {
  return formToBody(
    new MultipartBody(
      parts.map(([name, content, filename = 'a.png']) =>
        typeof content === 'string' ? { name, text: content } : { name, filename, file: content },
      ),
    ),
  )
}

describe('pictures keep their order', () => {
  test('texts and files as they arrive', async () => {
    const [first, second] = [await file(), await file()]
    const url = 'https://example.com/a.png'
    for (const name of ['image', 'image[]']) {
      expect(read([name, url], [name, first], [name, 'AAAA'], [name, second])).toEqual({
        image: [url, first, 'AAAA', second],
      })
    }
    expect(read(['image', first], ['images', url], ['mask', 'AAAA'])).toEqual({
      image: first,
      images: url,
      mask: 'AAAA',
    })
  })

  test('or by the numbers in their names, where all have one', async () => {
    const [first, second] = [await file(), await file()]
    expect(read(['image[0]', 'a'], ['image[1]', first]).image).toEqual(['a', first])
    expect(read(['image[1]', first], ['image[0]', 'a']).image).toEqual(['a', first])
    expect(read(['image[10]', 'k'], ['image[9]', first], ['image[00]', second]).image).toEqual([
      second,
      first,
      'k',
    ])
    expect(read(['image[1]', 'b'], ['image[1]', 'c'], ['image[0]', 'a']).image).toEqual(['a', 'b', 'c'])
    expect(read(['image[1]', 'a'], ['image[]', first], ['image[0]', 'c']).image).toEqual(['a', first, 'c'])
    expect(read(['image[1]', 'a'], ['image', first], ['image[0]', 'c']).image).toEqual(['a', first, 'c'])
  })

  test('lists of other fields too', () => {
    const body = read(
      ['extra_lora_weights[1]', 'o/b'],
      ['extra_lora_weights[0]', 'o/a'],
      ['extra_lora_scale[]', '2'],
      ['extra_lora_scale[]', '1.5'],
    )
    expect(body).toEqual({ extra_lora_weights: ['o/a', 'o/b'], extra_lora_scale: [2, 1.5] })
    expect(read(['extra_lora_weights', 'o/a'])).toEqual({ extra_lora_weights: ['o/a'] })
  })
})

describe('what nobody filled in is absent', () => {
  test('a file input that was left empty, as browsers send it, and an empty text', async () => {
    const nothing = await file('')
    const body = read(['mask', nothing, ''], ['image', await file()], ['size', ''], ['images', ''])
    expect(Object.keys(body).filter((name) => body[name] !== undefined)).toEqual(['image'])
    expect(read(['image[]', nothing, ''], ['image[]', 'AAAA'])).toEqual({ image: 'AAAA' })
  })

  test('but an empty file that has a name was sent, and bytes without a name were too', async () => {
    const [nothing, bytes] = [await file(''), await file()]
    expect(read(['mask', nothing, 'a.png'], ['image', bytes, ''])).toEqual({ mask: nothing, image: bytes })
  })

  test('and an empty prompt is a prompt', () => {
    expect(read(['prompt', ''])).toEqual({ prompt: '' })
  })
})

test('texts become values of their fields', () => {
  expect(
    read(
      ['n', '2'],
      ['strength', '0.5'],
      ['watermark', 'true'],
      ['metadata[order]', '7'],
      ['metadata[note]', ''],
      ['sequential_image_generation_options[max_images]', '3'],
      ['quality', '7'],
    ),
  ).toEqual({
    n: 2,
    strength: 0.5,
    watermark: true,
    metadata: { order: '7', note: '' },
    sequential_image_generation_options: { max_images: 3 },
    quality: '7',
  })
  expect(
    read(['metadata', '{"a":"ü"}'], ['sequential_image_generation_options', '{"max_images":3}']),
  ).toEqual({ metadata: { a: 'ü' }, sequential_image_generation_options: { max_images: 3 } })
})

describe('a JSON object in a form is judged as the body of a JSON request', () => {
  test.each([
    ['{"a":"\\u0000"}', '.a', /^metadata\.a holds a NUL character, which is not allowed\.$/],
    ['{"a":"\\ud800"}', '.a', /^metadata\.a holds half of a surrogate pair/],
    ['{"a":["x","\\udc00"]}', '.a[1]', /^metadata\.a\[1\] holds half of a surrogate pair/],
    ['{"\\ud800":"a"}', '', /^metadata has a key that is not well-formed Unicode\.$/],
    ['{"__proto__":"a"}', '.__proto__', /^metadata\.__proto__ is a key that is not allowed/],
    [`{"a":${'['.repeat(100)}${']'.repeat(100)}}`, '', /^metadata is nested more than 64 deep\.$/],
    ['{"a":', '', /^metadata is not valid JSON in UTF-8\.$/],
    ['[1]', '', /^metadata must be a JSON object\.$/],
    ['"a"', '', /^metadata must be a JSON object\.$/],
    ['null', '', /^metadata must be a JSON object\.$/],
  ])('%s is refused by name', (text, path, message) => {
    for (const name of ['metadata', 'sequential_image_generation_options']) {
      expect(() => read([name, text])).toThrow(
        expect.objectContaining({
          code: 'invalid_image_request',
          param: `${name}${path}`,
          message: expect.stringMatching(new RegExp(message.source.replace('metadata', name))),
        }),
      )
    }
  })
})

describe('what could be read in two ways is refused by name', () => {
  test.each<[string, [string, string][]]>([
    [
      'prompt',
      [
        ['prompt', 'a'],
        ['prompt', 'b'],
      ],
    ],
    [
      'metadata.a',
      [
        ['metadata[a]', '1'],
        ['metadata[a]', '2'],
      ],
    ],
    [
      'metadata',
      [
        ['metadata', '{"a":"1"}'],
        ['metadata[b]', '2'],
      ],
    ],
    [
      'metadata',
      [
        ['metadata[b]', '2'],
        ['metadata', '{"a":"1"}'],
      ],
    ],
    ['metadata.__proto__', [['metadata[__proto__]', 'a']]],
    ['n', [['n', '1_0']]],
    ['watermark', [['watermark', 'yes']]],
    ['extra_lora_scale', [['extra_lora_scale', 'https://bob:hunter2@example.com/']]],
  ])('%s in %j', (param, parts) => {
    expect(() => read(...parts)).toThrow(
      expect.objectContaining({ param, message: expect.not.stringContaining('hunter2') }),
    )
  })

  test('a file under another name', async () => {
    const bytes = await file()
    for (const name of ['photo', 'photo[]', 'image[url]', 'image[0][url]', 'prompt']) {
      expect(() => read([name, bytes])).toThrow(
        expect.objectContaining({ code: 'unknown_parameter', param: name }),
      )
    }
  })
})

test('names that stand for no field stay what they are, well-formed, for the schema to refuse', () => {
  const long = `${'a'.repeat(99)}😀tail`
  const body = read(['prompt[1]', 'a'], ['image[url]', 'b'], ['__proto__', 'c'], [long, 'd'])
  expect(Object.keys(body)).toEqual(['prompt[1]', 'image[url]', '__proto__', `${'a'.repeat(99)}�`])
  expect(Object.getPrototypeOf(body)).toBe(Object.prototype)
})
