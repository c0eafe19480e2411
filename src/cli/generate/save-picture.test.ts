import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { savePicture } from './save-picture.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gesso-save-'))
  return () => rmSync(folder, { recursive: true })
})

const picture = {
  prompt: 'a boat',
  taskId: 'image_1234567890',
  format: 'png',
  index: 0,
  count: 1,
  force: false,
}

test('a name that was taken meanwhile gives way: both files are whole and nothing else is left', async () => {
  const file = join(folder, 'boat.png')
  writeFileSync(file, 'mine')
  const paths = await Promise.all(
    ['one', 'two', 'three'].map((text) => savePicture({ kind: 'file', file }, Buffer.from(text), picture)),
  )
  expect(new Set(paths).size).toBe(3)
  expect(readFileSync(file, 'utf8')).toBe('mine')
  expect(paths.map((path) => readFileSync(String(path), 'utf8'))).toEqual(['one', 'two', 'three'])
  expect(readdirSync(folder)).toHaveLength(4)
})

test('with force the file is replaced, and a failure leaves the old one', async () => {
  const file = join(folder, 'boat.png')
  writeFileSync(file, 'old')
  expect(await savePicture({ kind: 'file', file }, Buffer.from('new'), { ...picture, force: true })).toBe(
    file,
  )
  expect(readFileSync(file, 'utf8')).toBe('new')
  expect(readdirSync(folder)).toEqual(['boat.png'])
  await expect(
    savePicture({ kind: 'file', file: join(folder, 'no', 'x.png') }, Buffer.from('x'), picture),
  ).rejects.toThrow('ENOENT')
})
