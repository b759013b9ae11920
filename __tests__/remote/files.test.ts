import { expect, test } from '@jest/globals'
import { nodeFiles } from '../../src/data/files.js'
import { locateData } from '../../src/data/locate.js'
import { parseConfig } from '../../src/config/parse.js'
import { loneFile, mounted } from '../../src/remote/files.js'

const bytes = Buffer.from('0,1,2\n')
const files = mounted('/fetched/data', loneFile('test.csv', bytes), nodeFiles)

test('what was fetched is read like a file, beside class names that lie in the workspace', async () => {
  const { dataOptions } = parseConfig({ flags: { classNames: 'fixtures/fashion/class-names.txt' } })
  expect(await locateData('/fetched/data/test.csv', dataOptions, undefined, files)).toMatchObject({
    ...{ kind: 'csv', name: 'test.csv', bytes },
    classNames: expect.arrayContaining(['Sandal']),
  })
})

test('nothing else lies beside it: neither labels nor weights can be smuggled in', async () => {
  expect(await files.readdir('/fetched/data')).toEqual(['test.csv'])
  for (const path of ['/fetched/data/other.csv', '/fetched/data/../../etc/x', '/fetched/data/test.csv/x'])
    await expect(files.readFile(path)).rejects.toMatchObject({ code: 'ENOENT' })
  expect(await files.realpath('/fetched/data/test.csv')).toBe('/fetched/data/test.csv')
})
