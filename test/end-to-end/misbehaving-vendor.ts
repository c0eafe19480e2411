/** Stands before a fake vendor and does to each call what its prompt says, so that many of them can go wrong at once. */
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** How a call goes: its prompt begins with the word. */
export const misbehaviours = {
  good: 'a picture',
  slow: 'a picture, after a while',
  partly: 'a picture, but for every third call of the prompt, which fails',
  refused: 'a refusal by moderation',
  wrong: 'a 400',
  broken: 'a 500',
  empty: 'success without a picture',
  cut: 'half of an answer',
  silent: 'no answer at all',
} as const
export type Misbehaviour = keyof typeof misbehaviours

export interface MisbehavingVendor extends AsyncDisposable {
  readonly url: string
  /** How often it was called, by the prompt. */
  readonly calls: ReadonlyMap<string, number>
}

const refusal = (code: string | null) => ({
  error: { message: 'no', type: 'invalid_request_error', code, param: null },
})

/** Opens it before a vendor at `to`, an origin. */
export async function openMisbehavingVendor(to: string): Promise<MisbehavingVendor> {
  const calls = new Map<string, number>()
  const server = createServer(async (message, response) => {
    const body = Buffer.concat(await message.toArray())
    const { prompt } = JSON.parse(body.toString()) as { prompt: string }
    const count = (calls.get(prompt) ?? 0) + 1
    calls.set(prompt, count)
    const pass = async () => {
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(new URL(message.url ?? '/', to), { method: 'POST', headers, body })
      return Buffer.from(await answer.arrayBuffer())
    }
    const word = prompt.split(' ')[0] as Misbehaviour
    switch (word) {
      case 'slow':
        await sleep(150)
        break
      case 'partly':
        if (count % 3 === 0) return answer(response, 500, refusal(null))
        break
      case 'refused':
        return answer(response, 400, refusal('moderation_blocked'))
      case 'wrong':
        return answer(response, 400, refusal(null))
      case 'broken':
        return answer(response, 500, refusal(null))
      case 'empty':
        return answer(response, 200, { created: 1, data: [] })
      case 'cut': {
        const bytes = await pass()
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length })
        response.write(bytes.subarray(0, bytes.length >> 1), () => response.destroy())
        return
      }
      case 'silent':
        return
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end(await pass())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    calls,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
