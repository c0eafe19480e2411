import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createSpool } from '../../inputs/spool.ts'
import { RequestUploads } from '../uploads.ts'
import { readInputSources } from './input-sources.ts'

const spool = createSpool({
  directory: mkdtempSync(join(tmpdir(), 'gesso-sources-')),
  memoryBytes: 1_000,
  budgetBytes: 1_000_000,
})
const uploads = new RequestUploads(spool)
afterAll(() => uploads[Symbol.asyncDispose]())

const read = (value: unknown) => readInputSources(value, 'image', { maxImages: 3, uploads })
const url = 'https://example.com/a.png'

describe('a refusal says nothing of what an address holds beside its host', () => {
  test.each<[string, unknown]>([
    ['image', 'ftp://bob:hunter2@example.com/x.png'],
    ['image', 's3://AKIA:hunter2@bucket/x'],
    ['image', 's3://bucket/x?token=hunter2'],
    ['image', '//bob:hunter2@example.com/x'],
    ['image', 'data:text/plain;token=hunter2,abc'],
    ['image[0]', [['https://bob:hunter2@example.com/']]],
    ['image.url', { url: 'ftp://bob:hunter2@example.com/x.png' }],
    ['image.image_url.url', { image_url: { url: 's3://AKIA:hunter2@bucket/x' } }],
    ['image.image_id', { image_id: 'https://bob:hunter2@example.com/x.png' }],
    ['image.image_id', { image_id: { url: 'https://bob:hunter2@example.com/' } }],
    ['image.b64_json', { b64_json: 's3://AKIA:hunter2@bucket/x' }],
    ['image.type', { url, type: 'https://bob:hunter2@example.com/' }],
  ])('%s: %j', async (param, value) => {
    const error = await read(value).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'invalid_image_request', param })
    expect(error.message).not.toMatch(/hunter2|bob|AKIA/)
  })
})

describe('what stands beside a picture', () => {
  test.each(['image_url', 'input_image', 'image', null])('may be the type %j', async (type) => {
    const sources = [{ kind: 'url', url }]
    expect(await read({ type, image_url: { url } })).toMatchObject(sources)
    expect(await read({ type, image_url: url })).toMatchObject(sources)
  })

  test.each<[string, string, object]>([
    ['unknown_parameter', 'image.detail', { url, detail: 'high' }],
    ['unknown_parameter', 'image.detail', { type: 'input_image', image_url: url, detail: 'auto' }],
    ['unknown_parameter', 'image.image_url.detail', { image_url: { url, detail: 'low' } }],
    ['unknown_parameter', 'image.image_url.type', { image_url: { url, type: 'image_url' } }],
    ['unknown_parameter', `image.${'a'.repeat(99)}�`, { url, [`${'a'.repeat(99)}😀`]: 1 }],
    ['invalid_image_request', 'image.type', { url, type: 'text' }],
    ['invalid_image_request', 'image.type', { url, type: ['image'] }],
  ])('else is refused: %s %s', async (code, param, value) => {
    await expect(read(value)).rejects.toMatchObject({ code, param })
  })
})
