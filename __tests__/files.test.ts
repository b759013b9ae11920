import { mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
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

test('a file that a scanner of Windows holds for a moment is written all the same, one that is held for good is told of', async () => {
  const path = join(folder, 'results.json')
  const held = (times: number) => {
    let attempts = 0
    const waits: number[] = []
    const replace = (from: string, to: string) => {
      attempts += 1
      const refusal = Object.assign(new Error('held'), { code: ['EPERM', 'EACCES', 'EBUSY'][attempts % 3] })
      return attempts > times ? rename(from, to) : Promise.reject(refusal)
    }
    const pause = (milliseconds: number) => Promise.resolve(void waits.push(milliseconds))
    return { platform: 'win32', replace, pause, waits }
  }
  const shortly = held(3)
  await writeFileAtomically(path, 'new', shortly)
  expect(await readFile(path, 'utf8')).toBe('new')
  expect(shortly.waits).toHaveLength(3)
  const forGood = held(Infinity)
  await expect(writeFileAtomically(path, 'newer', forGood)).rejects.toThrow('held')
  expect(forGood.waits.reduce((sum, each) => sum + each, 0)).toBeLessThan(5_000)
  expect(await readdir(folder)).toEqual(['results.json'])
})

test('a write that fails leaves nothing behind', async () => {
  const path = join(folder, 'results.json')
  await mkdir(join(path, 'a folder in its place'), { recursive: true })
  await expect(writeFileAtomically(path, 'new')).rejects.toThrow()
  expect(await readdir(folder)).toEqual(['results.json'])
})
