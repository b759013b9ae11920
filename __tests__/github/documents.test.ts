import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { listedModels, parseConfig } from '../../src/config/parse.js'

/** What people paste must work as it stands. */

const readme = readFileSync('README.md', 'utf8')
const snippets = [...readme.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text)
const metadata = parse(readFileSync('action.yml', 'utf8')) as { inputs: object; outputs: object }

test('the workflow to paste is the file for one repository', () => {
  const pasted = parse(snippets.find((text) => text.includes('jobs:')) ?? '') as unknown
  expect(pasted).toEqual(parse(readFileSync('docs/workflows/one-repository.yml', 'utf8')))
})

test('the config file of the README is understood', () => {
  const text = snippets.find((snippet) => snippet.includes('maxRobustDrop')) ?? ''
  const config = parseConfig({ file: { name: 'README.md', text } })
  expect(config.threats.map(({ id }) => id)).toEqual(['linf-8_255', 'l2-0.5'])
  expect(config.suite.attacks.map(({ id }) => id)).toEqual(['fgsm', 'pgd', 'pgd-margin'])
})

test('the list of models in docs/workflows.md is understood', () => {
  const text = /```yaml\n([^`]*models:[^`]*)```/.exec(readFileSync('docs/workflows.md', 'utf8'))?.[1] ?? ''
  const file = { name: 'robustness.yml', text }
  const configs = listedModels(file).map((model) => parseConfig({ file, model }))
  expect(configs.map(({ model, data, policy }) => [model, data, policy.maxRobustDrop])).toEqual([
    ['models/digits.onnx', 'data/test.npz', 1],
    ['models/signs.onnx', 'data/signs.npz', 2],
  ])
})

test('the README’s tables of inputs and outputs say what action.yml says', () => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/documents.mjs', '--check'], { encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
})

test('the README lists every input and output', () => {
  const listed = [...readme.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name)
  for (const name of [...Object.keys(metadata.inputs), ...Object.keys(metadata.outputs)]) expect(listed).toContain(name)
})
