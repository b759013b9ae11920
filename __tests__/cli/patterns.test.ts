import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { filesNamed } from '../../src/cli/patterns.js'
import { inTemporaryFolder } from '../support/cli.js'

/** Where the shell hands patterns on as they are written, on Windows, a documented command still has to do what it says. */

test('patterns name what a shell would, in order, and a file may be called like one', async () => {
  await inTemporaryFolder(async (folder) => {
    const files = ['shard-2/results.json', 'shard-1/results.json', 'shard-10/other.json', '.shard-3/results.json']
    for (const file of [...files, 'a+b/results.json', 'ab/results.json', 'really[*].json']) {
      await mkdir(join(folder, file, '..'), { recursive: true })
      await writeFile(join(folder, file), '')
    }
    const named = async (...patterns: readonly string[]) =>
      (await filesNamed(patterns.map((pattern) => join(folder, pattern)))).map((path) => path.slice(folder.length + 1))
    expect(await named('shard-*/results.json')).toEqual(['shard-1/results.json', 'shard-2/results.json'])
    expect(await named('shard-?/*.json')).toEqual(['shard-1/results.json', 'shard-2/results.json'])
    expect(await named('a+?/results.json', 'ab/results.json')).toEqual(['a+b/results.json', 'ab/results.json'])
    expect(await named('*/results.json')).not.toContain('.shard-3/results.json')
    expect(await named('.shard-*/results.json')).toEqual(['.shard-3/results.json'])
    expect(await named('really[*].json')).toEqual(['really[*].json'])
    // Whatever reads the file tells best what is wrong with it.
    expect(await named('none.json')).toEqual(['none.json'])
    await expect(named('none-*.json')).rejects.toThrow(/none-\*\.json: no file matches/)
  })
})
