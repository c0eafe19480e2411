import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { fillIn } from '../http/drawing/drawing-body.ts'
import { drawingFields, modelField } from '../http/drawing/image-fields.ts'
import { toGenerationRequest } from '../http/drawing/to-request.ts'
import { checkTogether } from '../models/check-together.ts'
import { outputFormats } from '../models/fields.ts'
import { type KeyDefaults, keyDefaultNames, keyDefaults, newKeyDefaults } from './key-defaults.ts'

const words = [
  ...'auto low medium high xhigh max standard hd vivid natural transparent opaque url b64_json'.split(' '),
  ...[...outputFormats, 'jpg', 'gif', 'tiff', 'foo', '007', '2024', 'a', '-', '!!!', 'É', 'Team Alpha', '猫'],
  ...'1024x1024 10x 0x10 x10 10X10 10x10x 99999x1 100000x1 1024*1024'.split(' '),
  '10x10\n',
  ' auto',
]
const values = [...words, '', true, false, 0, 7, 100, 101, -1, 1.5, null, ['low'], {}]

/** Whether a caller who says the same in a request would be heard. */
function isHeard(name: keyof KeyDefaults, value: unknown): boolean {
  const fields = z.strictObject({ model: modelField, ...drawingFields }).partial()
  const parsed = fields.safeParse({ model: 'm', [name]: value })
  if (!parsed.success || parsed.data[name] === undefined) return false
  try {
    toGenerationRequest({
      body: parsed.data,
      prompt: 'a fox',
      images: [],
      handling: 'default',
      warnings: [],
      defaulted: new Set(),
    })
    return true
  } catch {
    return false
  }
}

describe('a new key fills in what its callers could say themselves, and nothing else', () => {
  test.each(keyDefaultNames)('%s', (name) => {
    const accepted = values.filter((value) => newKeyDefaults.safeParse({ [name]: value }).success)
    // A key has no use for a field that asks for nothing.
    const heard = values.filter((value) => value !== '' && isHeard(name, value))
    expect(accepted).toEqual(heard)
    expect(accepted.length).toBeGreaterThan(1)
  })

  test('also of fields that contradict each other', () => {
    const together = { background: 'transparent', output_format: 'jpeg' } as const
    expect(newKeyDefaults.safeParse(together).success).toBe(false)
    const { body } = fillIn({}, together)
    expect(() =>
      checkTogether({ n: 1, background: body.background, outputFormat: body.output_format }),
    ).toThrow(/jpeg has no transparency/)
    expect(newKeyDefaults.safeParse({ ...together, output_format: 'webp' }).success).toBe(true)
  })

  test('and is stored in a form that is read back as it is', () => {
    const all: Required<KeyDefaults> = {
      model: 'm',
      size: '64x64',
      quality: 'hd',
      style: 'vivid',
      background: 'opaque',
      moderation: 'low',
      response_format: 'url',
      output_format: 'jpeg',
      output_compression: 40,
      negative_prompt: 'dogs',
      watermark: true,
      enhance_prompt: false,
      bucket: '007',
    }
    const made = newKeyDefaults.parse({ ...all, output_format: 'jpg' })
    expect(keyDefaults.parse(JSON.parse(JSON.stringify(made)))).toEqual(all)
  })
})

test('a key that was made before goes on working, whatever it fills in', () => {
  const stored = { quality: 'ultra', size: 'large', bucket: '!!!' }
  expect(keyDefaults.parse(stored)).toEqual(stored)
})
