/**
 * Clients as they come: whatever each of them sends without being told to, the built-in model draws it without a
 * warning, and nothing is sent a second time.
 */
import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { DallEAPIWrapper } from '@langchain/openai'
import { generateImage } from 'ai'
import OpenAI, { toFile } from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Gateway, openGateway, plainPng } from './open-gateway.ts'

let gateway: Gateway
let photo: Buffer
beforeAll(async () => {
  gateway = await openGateway()
  photo = await plainPng({ width: 64, height: 64 })
})
afterAll(() => gateway[Symbol.asyncDispose]())

const model = 'gesso-collage'
const prompt = 'a sailing boat at sunset'

const official = () => new OpenAI({ baseURL: gateway.baseURL, apiKey: gateway.apiKey }).images
const aiSdk = () => createOpenAI({ baseURL: gateway.baseURL, apiKey: gateway.apiKey }).image(model)
const compatible = () =>
  createOpenAICompatible({ name: 'gesso', baseURL: gateway.baseURL, apiKey: gateway.apiKey }).imageModel(
    model,
  )
const langChain = () => new DallEAPIWrapper({ baseUrl: gateway.baseURL, apiKey: gateway.apiKey, model })
const edit = () => ({ text: prompt, images: [photo] })

test.each<[string, 'generation' | 'edit', () => Promise<unknown>]>([
  ['openai', 'generation', () => official().generate({ model, prompt })],
  ['openai, an edit', 'edit', async () => official().edit({ model, prompt, image: await toFile(photo) })],
  [
    'openai, a variation',
    'edit',
    async () => official().createVariation({ model, image: await toFile(photo) }),
  ],
  ['@ai-sdk/openai', 'generation', () => generateImage({ model: aiSdk(), prompt })],
  ['@ai-sdk/openai, an edit', 'edit', () => generateImage({ model: aiSdk(), prompt: edit() })],
  ['@ai-sdk/openai-compatible', 'generation', () => generateImage({ model: compatible(), prompt })],
  [
    '@ai-sdk/openai-compatible, an edit',
    'edit',
    () => generateImage({ model: compatible(), prompt: edit() }),
  ],
  ['@langchain/openai', 'generation', () => langChain().invoke(prompt)],
])('%s', async (_name, mode, call) => {
  const before = (await gateway.lastTasks(100)).length
  await call()
  const tasks = await gateway.lastTasks(100)
  expect(tasks).toHaveLength(before + 1)
  expect(tasks[0]).toEqual({ model, mode, warnings: [] })
})
