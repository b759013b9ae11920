import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { writeFileAtomically } from '../src/files.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'files-'))
})
afterEach(() => rm(folder, { recursive: true }))

test('a file is replaced whole, and nothing else is left in its folder', async () => {
  const path = join(folder, 'results.json')
  await writeFile(path, 'old and longer')
  await writeFileAtomically(path, 'new')
  expect(await readFile(path, 'utf8')).toBe('new')
  expect(await readdir(folder)).toEqual(['results.json'])
})

test('a write that fails leaves nothing behind', async () => {
  const path = join(folder, 'results.json')
  await mkdir(join(path, 'a folder in its place'), { recursive: true })
  await expect(writeFileAtomically(path, 'new')).rejects.toThrow()
  expect(await readdir(folder)).toEqual(['results.json'])
})
