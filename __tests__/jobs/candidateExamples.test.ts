import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { parseConfig } from '../../src/config/parse.js'
import { candidateExamples } from '../../src/jobs/candidateExamples.js'

/** Images that fool the candidate are what its author looks at: no baseline's, and none of a run before. */

const { threats } = parseConfig({ flags: { epsilon: '0.1,0.2' } })
const bytes = (text: string) => new TextEncoder().encode(text)

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'examples-'))
  await writeFile(join(folder, 'adversarial-linf-0.2.npz'), 'of an earlier run')
})
afterEach(() => rm(folder, { recursive: true }))

test('the candidate’s are written, the baseline’s are not, and what an earlier run left is gone', async () => {
  const { effects, write } = candidateExamples()
  effects.onArchives?.('candidate', { 'adversarial-linf-0.1.npz': bytes('of the candidate') })
  effects.onArchives?.('baseline', { 'adversarial-linf-0.2.npz': bytes('of the baseline') })
  await write(folder, threats)
  expect(await readdir(folder)).toEqual(['adversarial-linf-0.1.npz'])
  expect(await readFile(join(folder, 'adversarial-linf-0.1.npz'), 'utf8')).toBe('of the candidate')
})

test('of a model that was not attacked there are none, nor those of an earlier run', async () => {
  await candidateExamples().write(folder, threats)
  expect(await readdir(folder)).toEqual([])
})
