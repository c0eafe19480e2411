/** Forms as bytes, and their reading with proof that nothing is left behind, for the tests of multipart bodies. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { createSpool } from '../../inputs/spool.ts'
import { createBodyBudget } from '../body-budget.ts'
import { readMultipartBody } from '../multipart-body.ts'
import { RequestUploads } from '../uploads.ts'

export const contentType = 'multipart/form-data; boundary=----WebKitFormBoundaryx7'
export const line = '------WebKitFormBoundaryx7'

/** A body of parts, each with its header lines; bytes stay bytes. */
export function form(...parts: [headers: string, content: string | Buffer][]): Buffer {
  return Buffer.concat([
    ...parts.flatMap(([headers, content]) => [
      Buffer.from(`${line}\r\n${headers}\r\n\r\n`),
      Buffer.from(content as string),
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`${line}--\r\n`),
  ])
}
export const named = (name: string, more = '') => `Content-Disposition: form-data; name="${name}"${more}`
export const inFile = '; filename="fox.png"\r\nContent-Type: image/png'

async function* pieces(body: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < body.length; at += size) yield Buffer.from(body.subarray(at, at + size))
}

export const spool = createSpool({
  directory: mkdtempSync(join(tmpdir(), 'gesso-form-')),
  memoryBytes: 1_000,
  budgetBytes: 50_000_000,
})

/** Reads a form and gives everything back; nothing may be left in the spool or the budget. */
export async function read(
  body: Buffer,
  { chunkBytes = 65_536, type = contentType, maxImageBytes = 100_000, maxImages = 16 } = {},
) {
  const budget = createBodyBudget(5 * 1024 * 1024)
  const uploads = new RequestUploads(spool)
  try {
    using share = budget.open()
    const { parts } = await readMultipartBody(pieces(body, chunkBytes), {
      contentType: type,
      spool,
      maxImageBytes,
      maxImages,
      uploads,
      share,
    })
    const read = await Promise.all(
      parts.map(async (part) =>
        'text' in part ? part : { ...part, file: undefined, content: await part.file.read() },
      ),
    )
    return {
      parts: read,
      fields: read.flatMap((part) => ('text' in part ? [[part.name, part.text]] : [])),
      files: read.flatMap((part) => ('text' in part ? [] : [part])),
    }
  } finally {
    await uploads[Symbol.asyncDispose]()
    expect(spool.heldBytes).toBe(0)
    budget.open().hold(5 * 1024 * 1024)
  }
}
