import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { readShards, shardsInFolder } from '../../src/github/shards.js'
import type { PossibleShard } from '../../src/github/shards.js'
import { inTemporaryFolder } from '../support/cli.js'
import { smallestResults } from '../support/github/results.js'

const commit = 'c0ffee'.padEnd(40, '0')
const digits = { checkName: 'Digits', commit }

function files(gate: string): Readonly<Record<string, string>> {
  const record = { schema: 'robustness-gate/shard/1', gate, commit, shard: { index: 1, count: 1 }, baseline: 'none' }
  return { 'shard.json': JSON.stringify({ ...record, notes: [] }), 'results.json': smallestResults }
}

function possible(name: string, contents: Readonly<Record<string, string>>): PossibleShard {
  const encoded = (file: string) => (contents[file] === undefined ? undefined : Buffer.from(contents[file]))
  return { name, open: () => Promise.resolve((file) => Promise.resolve(encoded(file))) }
}

test('of several gates’ shards in one workflow each gate finds its own', async () => {
  const found = [possible('a', files('Digits')), possible('b', files('Letters')), possible('c', { 'log.txt': '' })]
  expect((await readShards(found, 'here', digits)).map(({ name }) => name)).toEqual(['a'])
  await expect(readShards(found.slice(1), 'here', digits)).rejects.toThrow(
    'here: there is no shard of "Digits", only of "Letters"; did the jobs with shard: I/N run and upload what they wrote?',
  )
})

test('one is opened after the other, so that no two are held in memory, and who listens reads what else there is', async () => {
  const order: string[] = []
  const named = (name: string): PossibleShard => {
    const shard = possible(name, { ...files('Digits'), more: name })
    return { name, open: () => (order.push(`open ${name}`), shard.open()) }
  }
  await readShards([named('a'), named('b')], 'here', digits, async ({ candidate }, read) => {
    expect(candidate).toBeDefined()
    order.push(`read ${new TextDecoder().decode(await read('more'))}`)
  })
  expect(order).toEqual(['open a', 'read a', 'open b', 'read b'])
})

test('what another commit’s run wrote is refused, and so is what no shard writes', async () => {
  const other = { ...digits, commit: 'bad'.padEnd(40, '0') }
  await expect(readShards([possible('a', files('Digits'))], 'here', other)).rejects.toThrow(/^a: is of commit c0ffee/)
  const broken = possible('a', { ...files('Digits'), 'results.json': '{}' })
  await expect(readShards([broken], 'here', digits)).rejects.toThrow(/^a\/results\.json: is no valid results file/)
})

test('folders are searched at every depth, links are not followed', async () => {
  await inTemporaryFolder(async (folder) => {
    for (const place of ['shards/one/digits', 'shards/two', 'elsewhere']) {
      await mkdir(join(folder, place), { recursive: true })
      await writeFile(join(folder, place, 'shard.json'), files('Digits')['shard.json'])
    }
    await symlink(join(folder, 'elsewhere'), join(folder, 'shards/linked'))
    await mkdir(join(folder, 'shards/three'))
    await symlink(join(folder, 'elsewhere/shard.json'), join(folder, 'shards/three/shard.json'))
    const found = await shardsInFolder(join(folder, 'shards'), folder)
    expect(found.map(({ name }) => name)).toEqual(['shards/one/digits', 'shards/two'])
    const read = await found[0].open()
    expect(await read('results.json')).toBeUndefined()
    await expect(read('shard.json', 10)).rejects.toThrow(/shard\.json has \d+ bytes, more than the limit of 10/)
    expect(await shardsInFolder(join(folder, 'nowhere'), folder)).toEqual([])
  })
})
