import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { formatOfFile, numbered, pathOf, placeOf, slug } from './place.ts'

test.each([
  ['A red boat', 'a-red-boat'],
  ['../../etc/passwd', 'etc-passwd'],
  ['C:\\Windows\\..\\NUL', 'c-windows-nul'],
  ['.hidden', 'hidden'],
  ['-rf *', 'rf'],
  ['Ein Füchslein im Café', 'ein-fuchslein-im-cafe'],
  ['🦊🦊🦊', 'picture'],
  ['狐', 'picture'],
  ['a\u0000b\nc\u001b[31m', 'a-b-c-31m'],
  ['', 'picture'],
])('%j becomes the file name %s', (prompt, expected) => {
  expect(slug(prompt)).toBe(expected)
})

test('a name is short, whatever the prompt, and ends with a whole word where it can', () => {
  expect(slug('three neon orange foxes in a misty forest at night with stars')).toBe(
    'three-neon-orange-foxes-in-a-misty-forest-at',
  )
  expect(slug('x'.repeat(300))).toBe('x'.repeat(48))
  for (const prompt of ['ab '.repeat(100), '. '.repeat(300), 'ﷺ'.repeat(300), '-'.repeat(300)]) {
    expect(slug(prompt)).toMatch(/^[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?$/)
  }
})

test('pictures are numbered from the second on, and nothing of an answer reaches the path but letters and digits', () => {
  const picture = { prompt: 'a boat', taskId: 'image_67a1f0c3d9e8b7a6f5e4d3c2', format: 'webp' }
  const folder = placeOf('pictures/')
  if (folder.kind === 'stdout') throw new Error('a folder was named')
  expect(pathOf(folder, { ...picture, index: 0 })).toBe(join('pictures', 'a-boat-f5e4d3c2.webp'))
  expect(pathOf(folder, { ...picture, index: 2 })).toBe(join('pictures', 'a-boat-f5e4d3c2-3.webp'))
  const hostile = { ...picture, taskId: '../../../x/..', format: '/../sh', index: 0 }
  expect(pathOf(folder, hostile)).toBe(join('pictures', 'a-boat-x.bin'))
  expect(numbered('a.b/fox.tar.png', 1)).toBe(join('a.b', 'fox.tar-2.png'))
  expect(numbered('fox', 1)).toBe('fox-2')
})

test('a folder is one that ends in a slash or is there; - is stdout; nothing is the current folder', () => {
  const there = mkdtempSync(join(tmpdir(), 'gesso-place-'))
  try {
    expect(placeOf(there)).toEqual({ kind: 'folder', folder: there })
    expect(placeOf(`${there}/new/`)).toEqual({ kind: 'folder', folder: `${there}/new/` })
    expect(placeOf(`${there}/new`)).toEqual({ kind: 'file', file: `${there}/new` })
  } finally {
    rmSync(there, { recursive: true })
  }
  expect(placeOf('-')).toEqual({ kind: 'stdout' })
  expect(placeOf(undefined)).toEqual({ kind: 'folder', folder: '.' })
})

test.each([
  ['fox.JPG', 'jpeg'],
  ['fox.webp', 'webp'],
  ['fox.txt', undefined],
  ['pictures.png/', 'png'],
  ['-', undefined],
  [undefined, undefined],
])('the name %s asks for %s', (output, expected) => {
  expect(formatOfFile(output)).toBe(expected)
})
