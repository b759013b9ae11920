import { posix, win32 } from 'node:path'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { strToU8, zipSync } from 'fflate'
import type { Files } from '../../src/data/files.js'
import type { Event } from '../../src/github/context.js'
import { clientOf } from '../support/github/client.js'
import { repositoryContents } from '../support/github/contents.js'
import { actionsToken, startGitHub } from '../support/github/loopback.js'
import type { LoopbackGitHub } from '../support/github/loopback.js'
import { hostRepository } from '../support/github/repository.js'
import type { HostedRepository } from '../support/github/repository.js'
import { noPause } from '../support/noPause.js'

/**
 * Files that lie in no folder, as a runner with Windows reads them: there `node:path` writes backslashes, and git, zip
 * archives and GitHub's interface know none. The modules under test see `node:path` as it is on Windows.
 */

jest.unstable_mockModule('node:path', () => ({ ...win32, default: win32, posix, win32 }))
const { nodeFiles } = await import('../../src/data/files.js')
const { locateData } = await import('../../src/data/locate.js')
const { readModelFile } = await import('../../src/evaluation/modelFile.js')
const { remoteCommit } = await import('../../src/github/contents.js')
const { readConfigFile } = await import('../../src/github/governed.js')
const { gitIn } = await import('../../src/github/git.js')
const { filesOf } = await import('../../src/github/tree.js')
const { filesInZip } = await import('../../src/github/zip.js')
const { loneFile, mounted } = await import('../../src/remote/files.js')
const { parseConfig } = await import('../../src/config/parse.js')

const content = {
  'models/a.onnx': 'model',
  'models/a.onnx.data': 'weights beside it',
  'models/more/w.bin': 'weights in a folder of their own',
  'conf/robustness.yml': 'epsilon: 0.1\r\n',
}

let repository: HostedRepository
let github: LoopbackGitHub
let commit: string
let files: Readonly<Record<string, Files>>
beforeAll(async () => {
  repository = await hostRepository()
  commit = await repository.commit('main', content)
  const origin = `${repository.folder}/origin`
  const world = { repository: 'Codertocat/Hello-World', pullRequests: [2], tokens: { ghs: actionsToken } }
  github = await startGitHub({ ...world, extensions: [repositoryContents(origin)] })
  const client = clientOf(github.url, 'ghs', { owner: 'Codertocat', repo: 'Hello-World' })
  const event = { kind: 'pull_request', number: 2, headSha: commit, baseRef: 'main', baseSha: commit } as Event
  const zip = zipSync(Object.fromEntries(Object.entries(content).map(([name, text]) => [name, strToU8(text)])))
  files = {
    'a commit of a clone': filesOf(gitIn(origin, process.env), commit),
    'a commit without a clone': remoteCommit(client, event, (pointer) => Promise.resolve(pointer), noPause).filesOf(
      commit,
    ),
    'an artifact': filesInZip(zip, 'artifact model'),
  }
})
afterAll(async () => {
  await github.close()
  await repository.remove()
})

test.each(['a commit of a clone', 'a commit without a clone', 'an artifact'])(
  'a model in %s is read with the weights beside it',
  async (where) => {
    const model = await readModelFile('models/a.onnx', 'a.onnx', files[where])
    expect(text(model.bytes)).toBe('model')
    expect(text(model.external['a.onnx.data'])).toBe('weights beside it')
    const beside = await model.readBeside?.(['more/w.bin'])
    expect(text(beside?.['more/w.bin'])).toBe('weights in a folder of their own')
    await expect(model.readBeside?.(['../conf/robustness.yml'])).rejects.toThrow(/inside the model's own folder/)
  },
)

test('the config is read from the base commit, under the name that git gives it', async () => {
  const git = gitIn(`${repository.folder}/origin`, process.env)
  const path = 'conf/robustness.yml'
  const read = await readConfigFile(
    ...(['D:\\a\\repo\\conf\\robustness.yml', 'D:\\a\\repo', true] as const),
    () => Promise.resolve({ commit }),
    () => Promise.resolve({ git, path }),
  )
  expect(read).toEqual({ name: `${path} at ${commit.slice(0, 10)}`, text: content[path], ofBase: true })
})

test('data that were fetched are read, and nothing beside them', async () => {
  const fetched = mounted('/fetched/data', loneFile('test.csv', strToU8('0,1,2\n')), nodeFiles)
  const { dataOptions } = parseConfig({ flags: {} })
  expect(await locateData('/fetched/data/test.csv', dataOptions, undefined, fetched)).toMatchObject({
    ...{ kind: 'csv', name: 'test.csv' },
  })
})

test('images of an artifact keep their names, with the slashes that they have on every machine', async () => {
  const image = new Uint8Array([1])
  const images = filesInZip(zipSync({ 'images/cat/1.png': image, 'images/dog/1.png': image }), 'artifact images')
  const folder = mounted('/fetched/images', images, nodeFiles)
  const { dataOptions } = parseConfig({ flags: {} })
  expect(await locateData('/fetched/images/images', dataOptions, undefined, folder)).toMatchObject({
    ...{ classNames: ['cat', 'dog'] },
    files: [{ name: 'images/cat/1.png' }, { name: 'images/dog/1.png' }],
  })
})

function text(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString()
}
