import OpenAI from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { type FakeChatOptions, startFakeChat } from './fake-chat.ts'

const opened: { close(): unknown }[] = []
afterEach(async () => {
  for (const resource of opened.splice(0)) await resource.close()
})

/** The fake, and the official client that judges it. */
async function start(options: FakeChatOptions = {}) {
  const fake = await startFakeChat(options)
  opened.push(fake)
  const client = new OpenAI({ apiKey: 'sk-chat', baseURL: fake.url, maxRetries: 0, timeout: 2_000 })
  const ask = (more: object = {}) =>
    client.chat.completions.create({
      model: 'gpt-5-nano',
      messages: [
        { role: 'system', content: 'rewrite' },
        { role: 'user', content: 'a heron' },
      ],
      ...more,
    })
  return { fake, ask }
}

describe('the official client, talking to the fake chat model', () => {
  it('reads the rewritten prompt', async () => {
    const { fake, ask } = await start({ apiKey: 'sk-chat', rewrite: (prompt) => `${prompt} at dawn` })
    const { choices } = await ask({ max_completion_tokens: 100, reasoning_effort: 'minimal' })
    expect(choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: 'a heron at dawn' } })
    expect(fake.requests).toHaveLength(1)
  })

  it('is refused what OpenAI refuses', async () => {
    const { ask } = await start()
    await expect(ask({ max_tokens: 100 })).rejects.toMatchObject({
      status: 400,
      code: 'unsupported_parameter',
    })
    await expect(ask({ colour: 'red' })).rejects.toMatchObject({ status: 400 })
    const { ask: stranger } = await start({ apiKey: 'another' })
    await expect(stranger()).rejects.toMatchObject({ status: 401, code: 'invalid_api_key' })
  })

  it('reads refusals, tool calls, nothing and too much', async () => {
    const { fake, ask } = await start()
    const choice = async () => (await ask()).choices[0]
    await fake.play('refusal')
    expect((await choice())?.message).toMatchObject({ content: null, refusal: expect.any(String) })
    await fake.play('tool_call')
    expect(await choice()).toMatchObject({ finish_reason: 'tool_calls', message: { tool_calls: [{}] } })
    await fake.play('empty')
    expect((await choice())?.message.content).toBe('')
    await fake.play('too_long')
    expect((await choice())?.message.content).toHaveLength(9_000)
    await fake.play('huge')
    expect((await choice())?.message.content?.length).toBeGreaterThan(1_000_000)
    await fake.play('ok')
    expect((await choice())?.message.content).toContain('a heron')
  })

  it('fails where the server does', async () => {
    const { fake, ask } = await start()
    await fake.play('500')
    await expect(ask()).rejects.toMatchObject({ status: 500 })
    await fake.play('slow')
    await expect(ask()).rejects.toThrow(/timed out/i)
  })
})
