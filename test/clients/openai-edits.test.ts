/** Edits and variations by the official client: every way in which it takes a file, and what reaches the provider. */
import { createHash } from 'node:crypto'
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI, { BadRequestError, toFile } from 'openai'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Gateway, halvesDiffer, leftHalfMask, openGateway, pictureOf, plainPng } from './open-gateway.ts'

const size = { width: 256, height: 256 }
const wide = { width: 192, height: 128 }

let gateway: Gateway
let client: OpenAI
let folder: string
let photo: Buffer
let mask: Buffer
beforeAll(async () => {
  gateway = await openGateway()
  client = new OpenAI({ baseURL: gateway.baseURL, apiKey: gateway.apiKey })
  folder = mkdtempSync(join(tmpdir(), 'gesso-edits-'))
  photo = await plainPng(size)
  mask = await leftHalfMask(size)
})
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await gateway[Symbol.asyncDispose]()
})

const ask = { prompt: 'a lighthouse in a storm', response_format: 'b64_json' } as const
const collage = { ...ask, model: 'gesso-collage', size: '256x256' } as const
const gpt = { ...ask, model: 'gpt-image-2', size: '1024x1024' } as const

function bytesOf(answer: OpenAI.ImagesResponse): Buffer {
  return Buffer.from(answer.data?.[0]?.b64_json ?? '', 'base64')
}

function onDisk(name: string, bytes: Buffer): string {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

describe('one picture, in every form that the client takes', () => {
  test.each<[string, () => Promise<OpenAI.ImageEditParams['image']>]>([
    ['a Buffer through toFile', () => toFile(photo, 'photo.png', { type: 'image/png' })],
    ['a Buffer without a media type', () => toFile(photo, 'photo.png')],
    ['a Buffer without a name', () => toFile(photo)],
    ['a stream from disk', async () => createReadStream(onDisk('photo.png', photo))],
    ['a stream through toFile', () => toFile(createReadStream(onDisk('one.png', photo)))],
    ['a File', async () => new File([new Uint8Array(photo)], 'photo.png', { type: 'image/png' })],
    ['the answer of a fetch', () => fetch(`data:image/png;base64,${photo.toString('base64')}`)],
    ['a list of one', async () => [await toFile(photo, 'photo.png')]],
    ['a JPEG that says it is a PNG', async () => toFile(await sharp(photo).jpeg().toBuffer(), 'photo.png')],
  ])('%s', async (_name, image) => {
    const answer = await client.images.edit({ ...collage, image: await image() })
    expect(await pictureOf(bytesOf(answer))).toBe('png 256x256')
    expect(await gateway.lastTasks(1)).toEqual([{ model: 'gesso-collage', mode: 'edit', warnings: [] }])
  })
})

test('the built-in model changes a picture where the mask is transparent, and nowhere else', async () => {
  const image = await toFile(photo, 'photo.png')
  const answer = await client.images.edit({ ...collage, image, mask: await toFile(mask, 'mask.png') })
  const { left, right } = await halvesDiffer(photo, bytesOf(answer))
  expect(left).toBeGreaterThan(5)
  expect(right).toBeLessThan(0.5)
})

describe('GPT Image 2', () => {
  test('one picture reaches it byte for byte as image, with the fields as text and no response_format', async () => {
    const image = createReadStream(onDisk('photo.png', photo))
    const answer = await client.images.edit({ ...gpt, image, n: 2, quality: 'high', output_format: 'webp' })
    expect(answer.data).toHaveLength(2)
    expect(await pictureOf(bytesOf(answer))).toBe('webp 1024x1024')
    expect(gateway.upstream.requests.at(-1)?.path).toBe('/v1/images/edits')
    expect(gateway.lastAsked()).toEqual({
      model: 'gpt-image-2',
      prompt: ask.prompt,
      n: '2',
      size: '1024x1024',
      quality: 'high',
      output_format: 'webp',
      image: expect.objectContaining({ sha256: sha256(photo), format: 'png', mediaType: 'image/png' }),
    })
  })

  test('four pictures, each in another way, reach it in their order, and the mask beside them', async () => {
    const jpeg = await sharp(await plainPng(wide, '#123456'))
      .jpeg()
      .toBuffer()
    const webp = await sharp(await plainPng(wide, '#654321'))
      .webp()
      .toBuffer()
    const answer = await client.images.edit({
      ...gpt,
      image: [
        await toFile(photo, 'one.png', { type: 'image/png' }),
        createReadStream(onDisk('two.jpg', jpeg)),
        new File([new Uint8Array(webp)], 'three.webp', { type: 'image/webp' }),
        await toFile(createReadStream(onDisk('four.png', await plainPng(wide))), 'four.png'),
      ],
      mask: createReadStream(onDisk('mask.png', mask)),
    })
    expect(await pictureOf(bytesOf(answer))).toBe('png 1024x1024')
    const { 'image[]': images, mask: sent } = gateway.lastAsked()
    expect(images).toMatchObject([
      { format: 'png', ...size, sha256: sha256(photo) },
      { format: 'jpeg', ...wide },
      { format: 'webp', ...wide },
      { format: 'png', ...wide },
    ])
    expect(sent).toMatchObject({ format: 'png', hasAlpha: true, ...size })
  })

  test('an AVIF and a mask in WebP, which it does not take, reach it as PNG', async () => {
    const image = await toFile(await sharp(photo).avif().toBuffer(), 'photo.avif')
    await client.images.edit({
      ...gpt,
      image,
      mask: await toFile(await sharp(mask).webp().toBuffer(), 'm.webp'),
    })
    expect(gateway.lastAsked()).toMatchObject({
      image: { format: 'png', ...size },
      mask: { format: 'png', hasAlpha: true, ...size },
    })
  })

  test('a prompt in any script reaches it as it was written', async () => {
    const said = '“Łódź” 猫 🦊 & <b>%20</b> "quoted"\r\nnext line'
    await client.images.edit({ ...gpt, prompt: said, image: await toFile(photo, 'Ü "q" 猫.png') })
    expect(gateway.lastAsked()).toMatchObject({ prompt: said, image: { sha256: sha256(photo) } })
  })

  test('sixteen pictures are the most', async () => {
    const images = (count: number) => Promise.all(Array.from({ length: count }, () => toFile(photo, 'a.png')))
    await client.images.edit({ ...gpt, image: await images(16) })
    expect(gateway.lastAsked()['image[]']).toHaveLength(16)
    const before = gateway.upstream.submissions()
    await expect(client.images.edit({ ...gpt, image: await images(17) })).rejects.toMatchObject({
      status: 400,
      param: 'image',
      message: expect.stringContaining('17'),
    })
    expect(gateway.upstream.submissions()).toBe(before)
  })

  test('input_fidelity, which it always has, is a warning and not sent', async () => {
    const image = await toFile(photo, 'photo.png')
    await client.images.edit({ ...gpt, image, input_fidelity: 'high' })
    expect(gateway.lastAsked()).not.toHaveProperty('input_fidelity')
    expect((await gateway.lastTasks(1))[0]?.warnings).toMatchObject([{ param: 'input_fidelity' }])
  })

  test('a link is answered where the client asks for one', async () => {
    const image = await toFile(photo, 'photo.png')
    const { data } = await client.images.edit({ ...gpt, image, response_format: 'url' })
    expect(data?.[0]).toMatchObject({ url: expect.stringContaining(gateway.world.url) })
    expect(data?.[0]?.b64_json).toBeUndefined()
  })
})

describe('a form with fields of other models', () => {
  test('numbers, booleans and objects are read as what they are', async () => {
    const answer = await client.images.edit({
      ...collage,
      image: await toFile(photo, 'photo.png'),
      n: 2,
      ...{ seed: 7, strength: 0.5, watermark: true, negative_prompt: 'fog', metadata: { order: '12' } },
    })
    expect(answer.data).toMatchObject([{ seed: 7 }, { seed: 8 }])
    expect(answer).not.toHaveProperty('warnings')
  })

  test.each<[string, object, object]>([
    ['a field that nobody knows', { colour: 'red' }, { code: 'unknown_parameter', param: 'colour' }],
    ['a number that is none', { n: 'two' }, { code: 'invalid_image_request', param: 'n' }],
    ['a size with another letter', { size: '256×256' }, { code: 'invalid_image_request', param: 'size' }],
  ])('%s is a 400 by name', async (_name, fields, expected) => {
    const image = await toFile(photo, 'photo.png')
    const call = client.images.edit({ ...collage, ...fields, image })
    await expect(call).rejects.toMatchObject({ status: 400, type: 'invalid_request_error', ...expected })
  })
})

describe('pictures that are none', () => {
  test.each<[string, () => Promise<Partial<OpenAI.ImageEditParams>>, object]>([
    ['text', async () => ({ image: await toFile(Buffer.from('hello'), 'a.png') }), { param: 'image' }],
    ['an empty file', async () => ({ image: await toFile(Buffer.alloc(0), 'a.png') }), { param: 'image' }],
    [
      'a mask of another size',
      async () => ({ mask: await toFile(await leftHalfMask(wide), 'm.png') }),
      { param: 'mask', message: expect.stringContaining('192x128') },
    ],
    [
      'a mask without transparency',
      async () => ({ mask: await toFile(photo, 'm.png') }),
      { param: 'mask', message: expect.stringContaining('transparency') },
    ],
  ])('%s: a BadRequestError that names the field, and nobody is asked', async (_name, fields, expected) => {
    const before = gateway.upstream.submissions()
    const image = await toFile(photo, 'photo.png')
    const error = await client.images.edit({ ...gpt, image, ...(await fields()) }).catch((reason) => reason)
    expect(error).toBeInstanceOf(BadRequestError)
    expect(error).toMatchObject({ code: 'unsupported_image', ...expected })
    expect(gateway.upstream.submissions()).toBe(before)
  })
})

describe('variations', () => {
  test('with nothing but a picture: as DALL·E 2 did it, by an edit of its successor', async () => {
    const image = createReadStream(onDisk('photo.png', photo))
    const { data } = await client.images.createVariation({ image })
    expect(data).toHaveLength(1)
    expect(gateway.lastAsked()).toMatchObject({
      model: 'gpt-image-2',
      n: '1',
      size: '1024x1024',
      quality: 'medium',
      image: { sha256: sha256(photo) },
    })
    expect(gateway.lastAsked()).not.toHaveProperty('response_format')
    expect(await gateway.lastTasks(1)).toMatchObject([
      { model: 'dall-e-2', mode: 'edit', warnings: [{ param: 'model', code: 'deprecated_model' }] },
    ])
  })

  test('n, size and base64, on the built-in model', async () => {
    const image = await toFile(photo, 'photo.png')
    const wish = { image, n: 3, size: '256x256', response_format: 'b64_json', user: 'u-1' } as const
    const answer = await client.images.createVariation({ ...wish, model: 'gesso-collage' })
    expect(new Set(answer.data?.map((one) => one.b64_json)).size).toBe(3)
    expect(await pictureOf(bytesOf(answer))).toBe('png 256x256')
    expect(answer).not.toHaveProperty('warnings')
  })
})
