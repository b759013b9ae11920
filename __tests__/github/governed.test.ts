import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { baseFinder } from '../../src/github/base.js'
import { changesOf, readConfigFile } from '../../src/github/governed.js'
import { readInputs } from '../../src/github/inputs.js'
import type { Inputs } from '../../src/github/inputs.js'
import { readConfig, readRequest } from '../../src/github/request.js'
import { locateInGit } from '../../src/github/workspace.js'
import { baselineOf, checkOutPull, textOf } from '../support/github/checkedOutPull.js'
import type { CheckedOutPull } from '../support/github/checkedOutPull.js'
import { git, gitEnvironment, hostRepository } from '../support/github/repository.js'
import type { Content, HostedRepository } from '../support/github/repository.js'
import { smallestResults } from '../support/github/results.js'

let hosted: HostedRepository
beforeEach(async () => {
  hosted = await hostRepository()
})
afterEach(() => hosted.remove())

const pullRequest = (before: Content, changes: Content): Promise<CheckedOutPull> =>
  checkOutPull(hosted, before, changes)

describe('a pull request does not grade its own work', () => {
  test('a committed baseline model is read from the base', async () => {
    const pull = await pullRequest(
      { 'models/a.onnx': 'a', 'models/base.onnx': 'strong' },
      { 'models/base.onnx': 'weak' },
    )
    expect(textOf(await baselineOf(pull, 'path:models/base.onnx'))).toBe('strong')
  })

  test('a committed results file is read from the base', async () => {
    const pull = await pullRequest(
      { 'models/a.onnx': 'a', 'baseline.json': smallestResults },
      { 'baseline.json': 'something that is no results file' },
    )
    expect(await baselineOf(pull, 'results:baseline.json')).toMatchObject({
      kind: 'results',
      results: { schema: 'robustness-gate/results/1' },
    })
  })

  test('a baseline that the pull request itself adds does not count', async () => {
    const pull = await pullRequest({ 'models/a.onnx': 'a' }, { 'models/base.onnx': 'weak' })
    expect(await baselineOf(pull, 'path:models/base.onnx')).toMatchObject({
      kind: 'missing',
      reason: expect.stringContaining('The pull request itself adds models/base.onnx'),
    })
  })

  test('a file that an earlier step fetched, and no commit holds, counts', async () => {
    const pull = await pullRequest({ 'models/a.onnx': 'a' }, {})
    await writeFile(join(pull.workspace, 'fetched.onnx'), 'from the registry')
    expect(textOf(await baselineOf(pull, 'path:fetched.onnx'))).toBe('from the registry')
  })

  test('the config is read from the base, and the report says what was changed', async () => {
    const pull = await pullRequest(
      { 'gate.yml': 'epsilon: 0.1', 'data/x.npz': 'images' },
      { 'gate.yml': 'epsilon: 0.0001', 'data/x.npz': 'easier images' },
    )
    const [find, locate] = [baseFinder(pull.event), locateInGit(gitEnvironment)]
    const path = join(pull.workspace, 'gate.yml')
    expect(await readConfigFile(path, pull.workspace, true, find, locate)).toEqual({
      name: `gate.yml at ${pull.base}`,
      text: 'epsilon: 0.1',
      ofBase: true,
    })
    const governing = [
      { kind: 'config', path },
      { kind: 'data', path: join(pull.workspace, 'data') },
    ] as const
    expect(await changesOf(governing, find, locate, pull)).toEqual([
      `The pull request changes the config (gate.yml). It is judged by the one of the base commit, ${pull.base}; a model that only the changed one names was not looked at.`,
      'The pull request changes the data (data). Both models were measured on the changed data.',
    ])
  })

  test('a config that the pull request adds is used, and the report says so', async () => {
    const pull = await pullRequest({}, { 'gate.yml': 'epsilon: 0.1' })
    const [find, locate] = [baseFinder(pull.event), locateInGit(gitEnvironment)]
    const path = join(pull.workspace, 'gate.yml')
    expect(await readConfigFile(path, pull.workspace, true, find, locate)).toEqual({
      name: 'gate.yml',
      text: 'epsilon: 0.1',
    })
    expect(await changesOf([{ kind: 'config', path }], find, locate, pull)).toEqual([
      'The pull request adds the config (gate.yml) that it is judged by.',
    ])
  })

  test('a pull request that changes none of it has no notes', async () => {
    const pull = await pullRequest({ 'gate.yml': 'epsilon: 0.1' }, { 'README.md': 'Better words.' })
    const path = join(pull.workspace, 'gate.yml')
    const notes = changesOf([{ kind: 'config', path }], baseFinder(pull.event), locateInGit(gitEnvironment), pull)
    expect(await notes).toEqual([])
  })
})

describe('a pull request that moves the model', () => {
  const openRemote = () => Promise.reject(new Error('fetched'))
  const before = { 'old.onnx': 'a', 'x.npz': 'images', 'gate.yml': 'model: old.onnx\ndata: x.npz\nepsilon: 0.1\n' }
  const changes = { 'old.onnx': null, 'new.onnx': 'b', 'gate.yml': before['gate.yml'].replace('old', 'new') }
  /** As a workflow gives them. */
  const request = async (
    given: Readonly<Record<string, string>>,
    [was, is]: readonly Content[] = [before, changes],
  ) => {
    const { workspace, event } = await pullRequest(was, is)
    const place = { workspace, event, findBase: baseFinder(event), locate: locateInGit(gitEnvironment), openRemote }
    const inputs = readInputs((name) => ({ config: 'gate.yml', ...given })[name] ?? '')
    return readRequest(await readConfig(inputs, place), inputs, place)
  }

  test('and the config, which counts after the merge, is told how to', async () => {
    await expect(request({})).rejects.toThrow(
      /^model old\.onnx: is not here, and the config of the base commit, .* names it; to move a model, give its new path as the input model/,
    )
  })

  test('and adds its first config, with a name that is wrong, is told nothing of a config of the base commit', async () => {
    const found = request({}, [{ 'old.onnx': 'a', 'x.npz': 'images' }, { 'gate.yml': changes['gate.yml'] }])
    await expect(found).rejects.toThrow('new.onnx')
    await expect(found).rejects.not.toThrow('base commit')
  })

  test('and names it in the workflow has it judged, and is told which one it may replace', async () => {
    const { candidate, warnings } = await request({ model: 'new.onnx' })
    expect(Buffer.from(candidate.bytes).toString()).toBe('b')
    expect(warnings).toEqual([expect.stringContaining('The pull request removes old.onnx')])
  })

  test.each([
    ['the config of the base commit names the old one, whatever it is called', 'old.model', 'new.onnx'],
    ['the new one is called likewise', 'other.ort', 'new.ort'],
  ])('is told of the one it may replace where %s', async (_, removed, added) => {
    const gate = 'model: old.model\ndata: x.npz\nepsilon: 0.1\n'
    const was = { [removed]: 'a', 'x.npz': 'images', 'gate.yml': gate, 'README.md': '.' }
    const is = { [removed]: null, [added]: 'b', 'README.md': null }
    const { warnings } = await request({ model: added }, [was, is])
    expect(warnings).toEqual([expect.stringContaining(`The pull request removes ${removed}: `)])
  })
})

describe('every file the images and their labels are read from', () => {
  const images = 'data/t10k-images-idx3-ubyte'
  const labels = 'data/t10k-labels-idx1-ubyte'
  const before = { 'a.onnx': 'a', [images]: 'x', [labels]: 'y', 'names.txt': 'shirt\nshoe', 'own-labels': 'y' }

  async function notes(changes: Content, settings: Record<string, string>) {
    const { workspace, event } = await pullRequest(before, changes)
    const openRemote = () => Promise.reject(new Error('fetched'))
    const place = { workspace, event, findBase: baseFinder(event), locate: locateInGit(gitEnvironment), openRemote }
    const flags = { model: 'a.onnx', data: images, classNames: 'names.txt', ...settings }
    const inputs: Inputs = { ...readInputs(() => ''), settings: flags }
    return (await readRequest(await readConfig(inputs, place), inputs, place)).notes
  }

  test.each([
    ['the labels beside them', labels, {}, 'labels'],
    ['labels of another name', 'own-labels', { labels: 'own-labels' }, 'labels'],
    ['the names of the classes', 'names.txt', {}, 'class names'],
  ])('%s', async (_, path, settings, kind) => {
    expect(await notes({ [path]: 'other' }, settings)).toEqual([
      `The pull request changes the ${kind} (${path}). Both models were measured on the changed ${kind}.`,
    ])
  })

  test('none of them may be written with other capitals, which Windows and macOS open and git does not find', async () => {
    await expect(notes({}, { model: 'A.onnx' })).rejects.toThrow('A.onnx: is called a.onnx here')
    await expect(notes({}, { data: 'Data/t10k-images-idx3-ubyte' })).rejects.toThrow('Data: is called data here')
  })

  test('none of them may be a link, not even the one that nobody named', async () => {
    await expect(notes({ 'data/l': 'y', [labels]: { link: 'l' } }, {})).rejects.toThrow(`${labels} is a symbolic link`)
  })
})

describe('the candidate’s commit', () => {
  async function candidateOf({ workspace, event }: CheckedOutPull) {
    const openRemote = () => Promise.reject(new Error('fetched'))
    const place = { workspace, event, findBase: baseFinder(event), locate: locateInGit(gitEnvironment), openRemote }
    const inputs: Inputs = { ...readInputs(() => ''), settings: { model: 'a.onnx', data: 'x.npz' } }
    return (await readRequest(await readConfig(inputs, place), inputs, place)).origins.candidate
  }
  const files = { 'a.onnx': 'a', 'x.npz': 'images' }

  test('is GitHub’s merge commit where that was evaluated, and names the head in it', async () => {
    const pull = await pullRequest(files, { 'a.onnx': 'b' })
    const commit = await git(pull.workspace, 'rev-parse', 'HEAD')
    expect(await candidateOf(pull)).toEqual({ commit, how: `merge of ${pull.event.headSha}` })
  })

  test('is the head where that was checked out', async () => {
    const pull = await pullRequest(files, { 'a.onnx': 'b' })
    const workspace = await hosted.checkout(pull.event.headSha, 1)
    expect(await candidateOf({ ...pull, workspace })).toEqual({ commit: pull.event.headSha })
  })
})
