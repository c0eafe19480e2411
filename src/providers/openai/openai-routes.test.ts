import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FakeUpstream, fakeOpenAiKey, startFakeOpenAi } from '../../../test/upstreams/openai.ts'
import { openaiRoutes } from '../../models/catalogue/routes/openai.ts'
import { builtInModels } from '../../models/catalogue.ts'
import { maximalRequests } from './testing/maximal-request.ts'
import { closeOpened, connect } from './testing/scripted-server.ts'

let upstream: FakeUpstream
beforeAll(async () => {
  upstream = await startFakeOpenAi({ otherSize: { width: 32, height: 32 } })
})
afterAll(async () => {
  await closeOpened()
  await upstream.close()
})

describe.each(Object.entries(openaiRoutes))('%s', (id, route) => {
  test('at OpenAI takes all that its table lets through', async () => {
    const model = builtInModels.find((one) => one.id === id)
    if (!model) throw new Error(`${id} is in no list of models`)
    const provider = connect(upstream.url, fakeOpenAiKey)
    for (const request of await maximalRequests(model, route)) {
      const outcome = await provider.start(request, AbortSignal.timeout(10_000))
      expect(outcome).toMatchObject({ status: 'completed', images: [{}] })
    }
  })
})

test('current models can be watched, and tell what they cost', () => {
  const streaming = Object.entries(openaiRoutes).filter(([, route]) => route.streams)
  expect(streaming.map(([id]) => id)).toEqual([
    'gpt-image-2.6-sunburst',
    'gpt-image-2.6-flare',
    'gpt-image-2',
    'gpt-image-2.5-sunburst',
    'gpt-image-2.5-flare',
    'gpt-image-1.5',
    'gpt-image-1-mini',
    'chatgpt-image-latest',
    'gpt-image-1',
  ])
  const imageOut = (id: string) =>
    openaiRoutes[id]?.price?.items.find((item) => item.per === 'million tokens' && item.kind === 'image out')
      ?.micros
  expect(imageOut('gpt-image-2')).toBe(30_000_000)
  expect(imageOut('gpt-image-1-mini')).toBe(8_000_000)
  // Drawn by their successor, and paid as such.
  expect(imageOut('dall-e-3')).toBe(30_000_000)
  expect(imageOut('gpt-image-2.6-flare')).toBe(30_000_000)
})
