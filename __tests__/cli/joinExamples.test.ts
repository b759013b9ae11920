import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { joinExamples } from '../../src/cli/joinExamples.js'
import { parseResults } from '../../src/evaluation/resultsFile.js'
import { witnessArchive } from '../../src/evaluation/witnesses.js'
import { inTemporaryFolder } from '../support/cli.js'
import { smallestResults } from '../support/github/results.js'

/** Examples that lie beside results are taken for theirs: those of an earlier merge may not stay, and whose they are must be known. */

const threat = 'linf-0.1'
const file = `adversarial-${threat}.npz`
const smallest = parseResults(smallestResults, 'results.json')
const [sample] = smallest.samples

/** The one image of a shard, broken. */
const results = (index: number) => ({
  ...smallest,
  samples: [{ ...sample, index, threats: { [threat]: { robust: false, attacks: {} } } }],
})
const archive = (...indices: readonly number[]) =>
  witnessArchive(
    indices.map((index) => ({ threat, index, label: 0, predicted: 1, pixels: Float32Array.of(0.5) })),
    threat,
    { shape: [1] },
  )

async function joined(folder: string, paths: readonly string[]): Promise<string> {
  let told = ''
  const stderr = (text: string) => {
    told += text
  }
  const parts = paths.map((path, index) => ({ name: join(folder, path), results: results(index) }))
  await joinExamples(parts, join(folder, 'out'), { stderr })
  return told
}

test('what an earlier merge left is gone where nothing is joined now, and it is said why', async () => {
  await inTemporaryFolder(async (folder) => {
    for (const name of ['one', 'two', 'out']) await mkdir(join(folder, name))
    for (const index of [0, 1]) await writeFile(join(folder, ['one', 'two'][index], file), archive(index))
    const apart = ['one/results.json', 'two/results.json']
    expect(await joined(folder, apart)).toBe('')
    expect(await readFile(join(folder, 'out', file))).toEqual(Buffer.from(archive(0, 1)))

    expect(await joined(folder, ['one/results.json', 'one/other.json'])).toBe(
      `robustness-gate: results of several shards lie in one folder, and nobody can tell whose ${file} is, so it is not joined\n`,
    )
    expect(await readdir(join(folder, 'out'))).toEqual([])

    await writeFile(join(folder, 'out', file), archive(0))
    expect(await joined(folder, ['out/none/one.json', 'out/none/other.json'])).toBe('')
    expect(await readdir(join(folder, 'out'))).toEqual([])
  })
})
