import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { parseConfig } from '../../src/config/parse.js'

/** What people paste must work as it stands. */

const readme = readFileSync('README.md', 'utf8')
const snippets = [...readme.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text)
const metadata = parse(readFileSync('action.yml', 'utf8')) as { inputs: object; outputs: object }

interface Workflow {
  readonly permissions: object
  readonly jobs: Readonly<
    Record<string, { readonly steps: readonly { readonly uses?: string; readonly with?: object }[] }>
  >
}

const workflows = {
  'the README': snippets.find((text) => text.includes('jobs:')) ?? '',
  'docs/workflow.yml': readFileSync('docs/workflow.yml', 'utf8'),
  'the CI of this repository': readFileSync('.github/workflows/ci.yml', 'utf8'),
}

test.each(Object.entries(workflows))('the workflow of %s gives only inputs that exist', (_, text) => {
  const { jobs } = parse(text) as Workflow
  const steps = Object.values(jobs).flatMap((job) => job.steps)
  const gate = steps.find(({ uses }) => uses === './' || uses?.includes('robustness-gate'))
  expect(Object.keys(metadata.inputs)).toEqual(expect.arrayContaining(Object.keys(gate?.with ?? { missing: true })))
})

test('the workflow to paste has the permissions that comment and check run need', () => {
  const expected = { contents: 'read', 'pull-requests': 'write', checks: 'write' }
  expect((parse(workflows['the README']) as Workflow).permissions).toEqual(expected)
  expect(parse(workflows['docs/workflow.yml'])).toEqual(parse(workflows['the README']))
})

test('the config file of the README is understood', () => {
  const text = snippets.find((snippet) => snippet.includes('maxRobustDrop')) ?? ''
  const config = parseConfig({ file: { name: 'README.md', text } })
  expect(config.threats.map(({ id }) => id)).toEqual(['linf-8_255', 'l2-0.5'])
  expect(config.suite.attacks.map(({ id }) => id)).toEqual(['fgsm', 'pgd', 'pgd-margin'])
})

test('the README lists every input and output', () => {
  const listed = [...readme.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name)
  for (const name of [...Object.keys(metadata.inputs), ...Object.keys(metadata.outputs)]) expect(listed).toContain(name)
})
