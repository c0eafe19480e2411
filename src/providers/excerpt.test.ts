import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { generateKey } from '../keys/key-format.ts'
import { excerpt } from './excerpt.ts'

const prompt = 'a very particular heron with a brass telescope, seen from above'
const remark = '(withheld: it repeated the request)'

describe('excerpt', () => {
  it('leaves an ordinary message as it is', () => {
    const message = "Invalid value: 'huge'. Supported values are: '1024x1024' and 'auto'."
    expect(excerpt(message, [prompt, 'au', 'x', ''])).toBe(message)
  })

  it.each([
    ['an OpenAI key', 'Incorrect API key provided: sk-proj-abc_DEF-123456.', 'abc_DEF'],
    ['a masked key', 'Incorrect API key provided: sk-ab*****cd.', 'sk-ab'],
    ['a bearer token', 'got "Authorization: Bearer abcdef123456"', 'abcdef'],
    ['a Replicate key', 'token r8_Ab3dEf6hIj9lMn2pQr5tUv8xYz1bCd4eFg7', 'Ab3dEf'],
    ['a Hugging Face key', 'token=hf_AbCdEfGhIjKlMnOpQrStUvWxYz', 'AbCdEf'],
    ['an AWS key', 'The key AKIAIOSFODNN7EXAMPLE is not known', 'IOSFODNN'],
    ['a Google key', 'key AIzaSyA-0123456789abcdefghijklmnopqrs', 'SyA-0123'],
    ['a fal key', 'key 01234567-89ab-cdef-0123-456789abcdef:00112233445566778899aabbccddeeff', '0011'],
    ['credentials in a URL', 'cannot reach https://user:hunter2@example.com/a', 'hunter2'],
    ['a signed URL', 'see https://example.com/a.png?sig=deadbeef', 'deadbeef'],
    ['a signed path', 'see /a.png?X-Amz-Signature=deadbeef&x=1', 'deadbeef'],
    ['a token in a path', 'see /a.png?size=1&api_key=deadbeef', 'deadbeef'],
    ['an e-mail address', 'account ada.lovelace+x@example.co.uk is closed', 'lovelace'],
  ])('cuts out %s, and keeps the rest', (_, text, secret) => {
    const quoted = excerpt(text)
    expect(quoted).not.toContain(secret)
    expect(quoted.slice(0, 3)).toBe(text.slice(0, 3))
  })

  it("cuts out a key of Gesso's own", () => {
    expect(excerpt(`X-Forwarded-Key: ${generateKey()}!`)).toBe('X-Forwarded-Key: [key]!')
  })

  it.each([
    ['the configured key', 'no such key: 0123456789'],
    ['the prompt', `bad prompt: ${prompt}`],
    ['the beginning of the prompt', `bad prompt: ${prompt.slice(0, 30)}...`],
    ['four words of the prompt', 'cannot draw "heron, with a brass"'],
    ['the prompt over two lines', `bad prompt: ${prompt}`.replace('brass', 'brass\n')],
    ['the prompt in capitals', `BAD PROMPT: ${prompt.toUpperCase()}`],
    ['the prompt with other spaces', prompt.replaceAll(' ', ' \t\u00a0')],
    ['the prompt inside JSON inside JSON', JSON.stringify(JSON.stringify({ prompt: `${prompt}\nagain` }))],
    ['a prompt in escapes', 'cannot draw \\u82cd\\u9e6d\\u5728\\u6e56\\u8fb9'],
    ['a part of a prompt without spaces', 'bad: 黎明时分一只苍鹭站在湖边的芦苇丛中凝望远方'],
    ['a short user id', 'user u-1 is blocked'],
  ])('quotes nothing of a text that repeats %s', (_, text) => {
    const long = `${'水墨画'.repeat(30)}黎明时分一只苍鹭站在湖边的芦苇丛中凝望远方的群山`
    expect(excerpt(text, ['0123456789', prompt, '苍鹭在湖边', long, 'u-1'])).toBe(remark)
  })

  it('takes little time for the longest prompt, however repetitive', () => {
    const started = performance.now()
    for (const letter of ['a', 'a ', '\\u0061', '&', '.@']) {
      excerpt(`${letter.repeat(15)}!${letter.repeat(60_000)}`, Array(3).fill(letter.repeat(32_000)))
      excerpt(letter.repeat(15), Array(3).fill(letter.repeat(32_000)))
    }
    expect(performance.now() - started).toBeLessThan(8_000)
  })

  it('cuts out base64', () => {
    const base64 = randomBytes(3_000).toString('base64')
    const text = excerpt(`cannot decode "${base64}" as an image`)
    expect(text).toMatch(/^cannot decode "\[…\]/)
    expect(excerpt(`cannot decode "${base64.slice(0, 900)}" as an image`)).toBe(
      'cannot decode "[…]" as an image',
    )
  })

  it('is one well-formed line of at most 300 characters', () => {
    const text = excerpt(`\u0000one\r\n\ttwo\u202e\ud83d ${'🦊 '.repeat(400)}`)
    expect(text).toMatch(/^one two 🦊/)
    expect(text.length).toBeLessThanOrEqual(300)
    expect(text.isWellFormed()).toBe(true)
  })
})
