/** A body that is given up between two of its files. */
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { encodeForm } from './form-body.ts'
import { encodeJson } from './json-body.ts'
import { asBase64 } from './picture-text.ts'
import type { StreamedBody } from './streamed-body.ts'

const bytes = Buffer.from('a picture')

/** Two files; the body is destroyed when the first has ended and before the second is opened. */
async function giveUpBetween(encode: (files: { sizeBytes: number; stream(): Readable }[]) => StreamedBody) {
  const seconds: Readable[] = []
  const body = encode([
    {
      sizeBytes: bytes.length,
      stream: () => Readable.from([bytes], { objectMode: false }).once('end', () => body.stream.destroy()),
    },
    {
      sizeBytes: bytes.length,
      stream() {
        const stream = Readable.from([bytes], { objectMode: false })
        seconds.push(stream)
        return stream
      },
    },
  ])
  body.stream.resume()
  await sleep(20)
  expect(body.stream.destroyed).toBe(true)
  return seconds
}

test('leaves no file open', async () => {
  const inForm = await giveUpBetween((files) =>
    encodeForm(
      files.map((file) => ({ name: 'image[]', filename: 'a.png', contentType: 'image/png', ...file })),
    ),
  )
  const inJson = await giveUpBetween((files) => {
    const body = encodeJson(files.map((file) => asBase64({ mediaType: 'image/png', ...file })))
    if (typeof body === 'string') throw new Error('it is not streamed')
    return body
  })
  for (const stream of [...inForm, ...inJson]) expect(stream.destroyed).toBe(true)
})
