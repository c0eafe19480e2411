/** LangChain's image tool: an old client, which says DALL·E's words to whatever model it is given. */
import { DallEAPIWrapper } from '@langchain/openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { download, type Gateway, openGateway, pictureOf } from './open-gateway.ts'

let gateway: Gateway
beforeAll(async () => {
  gateway = await openGateway()
})
afterAll(() => gateway[Symbol.asyncDispose]())

type Settings = ConstructorParameters<typeof DallEAPIWrapper>[0]

/** The tool with nothing changed but address and key, and what a test is about. */
function tool(own: Settings = {}): DallEAPIWrapper {
  return new DallEAPIWrapper({ apiKey: gateway.apiKey, baseUrl: gateway.baseURL, ...own })
}

const prompt = 'a painted fox under three stars'

test('with base URL and key alone: DALL·E 3 by its successor, as a link that opens', async () => {
  const url: string = await tool().invoke(prompt)
  expect(await pictureOf(await download(url))).toBe('png 1024x1024')
  expect(gateway.lastAsked()).toEqual({
    model: 'gpt-image-2',
    prompt,
    n: 1,
    size: '1024x1024',
    quality: 'medium',
  })
  expect(await gateway.lastTasks(1)).toMatchObject([
    { model: 'dall-e-3', warnings: [{ code: 'deprecated_model' }, { param: 'style' }] },
  ])
})

test('hd is high, and a user is passed on', async () => {
  await tool({ quality: 'hd', size: '1024x1792', user: 'u-1' }).invoke(prompt)
  expect(gateway.lastAsked()).toMatchObject({ quality: 'high', size: '1024x1792', safety_identifier: 'u-1' })
})

describe.each([
  { model: 'gpt-image-2', size: '1024x1024' },
  { model: 'gesso-collage', size: '256x256' },
] as const)('$model', (chosen) => {
  const picture = `png ${chosen.size}`

  test('as a link', async () => {
    const url: string = await tool(chosen).invoke(prompt)
    expect(await pictureOf(await download(url))).toBe(picture)
  })

  test.each<[string, Settings]>([
    ['b64_json', { dallEResponseFormat: 'b64_json' }],
    ['b64_json by the older name of the option', { responseFormat: 'b64_json' }],
  ])('as %s', async (_name, format) => {
    const base64: string = await tool({ ...chosen, ...format }).invoke(prompt)
    expect(await pictureOf(Buffer.from(base64, 'base64'))).toBe(picture)
  })

  test('three at once, by as many calls: different pictures', async () => {
    const parts: { type: string; image_url: string }[] = await tool({ ...chosen, n: 3 }).invoke(prompt)
    expect(parts.map(({ type }) => type)).toEqual(Array(3).fill('image_url'))
    expect(new Set(parts.map((part) => part.image_url)).size).toBe(3)
    for (const part of parts) expect(await pictureOf(await download(part.image_url))).toBe(picture)
  })
})

test('DALL·E 2 in its small sizes', async () => {
  const url: string = await tool({ model: 'dall-e-2', size: '256x256' }).invoke(prompt)
  expect(await pictureOf(await download(url))).toBe('png 256x256')
  expect(gateway.lastAsked()).toMatchObject({ model: 'gpt-image-2', size: '1024x1024' })
})

test('a refusal is thrown in the server’s words', async () => {
  await expect(tool({ model: 'dall-e-3', size: '256x256' }).invoke(prompt)).rejects.toMatchObject({
    status: 400,
    param: 'size',
    message: expect.stringContaining('1792x1024'),
  })
})
