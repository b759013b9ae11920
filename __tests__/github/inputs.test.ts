import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { kebabCase } from '../../src/config/keys.js'
import { parseConfig } from '../../src/config/parse.js'
import { inputSettings, readInputs } from '../../src/github/inputs.js'
import { outputsOf } from '../../src/github/outputs.js'
import { errorComparison } from '../../src/comparison/compare.js'

interface Metadata {
  readonly inputs: Readonly<Record<string, { readonly description?: string; readonly default?: string }>>
  readonly outputs: Readonly<Record<string, { readonly description?: string }>>
  readonly runs: { readonly using: string; readonly main: string }
}
const metadata = parse(readFileSync('action.yml', 'utf8')) as Metadata

/** As the runner does: the defaults of action.yml, then what the workflow says. */
function getInput(given: Readonly<Record<string, string>>): (name: string) => string {
  return (name) => given[name] ?? metadata.inputs[name]?.default ?? ''
}

const others = [
  'mode',
  'shard',
  'results',
  'artifact',
  'allow-unsafe-pull-request-target',
  'dry-run',
  'upload',
  'cache',
  'onnxruntime',
  'data-token',
]

test('every setting can be given as an input, and every input is read', () => {
  const read = [...inputSettings.map(kebabCase), 'config', 'github-token', 'output-dir', ...others]
  expect(Object.keys(metadata.inputs).sort()).toEqual([...read].sort())
})

test('every input and output says what it is', () => {
  for (const each of [...Object.values(metadata.inputs), ...Object.values(metadata.outputs)])
    expect(each.description).toMatch(/\w{3}/)
})

test('every output of action.yml is set', () => {
  expect(Object.keys(outputsOf(errorComparison('broke')))).toEqual(Object.keys(metadata.outputs))
})

test('action.yml has no default that would win over the config file', () => {
  const { settings } = readInputs(getInput({}))
  const file = { name: 'gate.yml', text: 'epsilon: 0.25\nbaseline: none\nsuite: quick\nfailOn: never' }
  const config = parseConfig({ file, flags: settings, flagsAre: 'inputs' })
  expect(config).toMatchObject({
    ...{ baseline: 'none', suite: { name: 'quick' }, policy: { failOn: 'never' } },
    threats: [{ epsilon: 0.25 }],
  })
})

test('inputs reach the setting of their name', () => {
  const { settings } = readInputs(
    getInput({ 'max-robust-drop': '2.5', 'class-names': 'classes.txt', epsilon: '4/255' }),
  )
  const config = parseConfig({ flags: settings, flagsAre: 'inputs' })
  expect(config.policy.maxRobustDrop).toBe(2.5)
  expect(config.dataOptions.classNames).toBe('classes.txt')
  expect(config.threats[0].id).toBe('linf-4_255')
})

test('defaults that action.yml promises in words are those of the schema', () => {
  const config = parseConfig({})
  const promised = (input: string) => /\(default `([^`]+)`/.exec(metadata.inputs[input].description ?? '')?.[1]
  expect({
    ...{ norm: promised('norm'), samplesSeed: promised('seed'), suite: promised('suite') },
    ...{ robust: promised('max-robust-drop'), clean: promised('max-clean-drop'), budget: promised('clean-budget') },
    ...{ significance: promised('significance'), time: promised('time-limit'), batch: promised('batch') },
    ...{ comment: promised('comment'), layout: promised('layout'), failOn: promised('fail-on') },
  }).toEqual({
    ...{
      norm: config.threats[0].norm,
      samplesSeed: String(config.seed),
      suite: `${config.suite.name}@${config.suite.version}`,
    },
    ...{ robust: String(config.policy.maxRobustDrop), clean: String(config.policy.maxCleanDrop) },
    ...{ budget: String(config.policy.cleanBudget), significance: String(config.policy.significance) },
    ...{ time: String(config.limits.seconds), batch: String(config.limits.batch), comment: config.publish.comment },
    ...{ layout: config.dataOptions.layout, failOn: config.policy.failOn },
  })
  expect(promised('epsilon')).toBe(config.threats[0].id.replace('linf-', '').replace('_', '/'))
  expect(metadata.inputs['check-name'].description).toContain(`(default \`${config.publish.checkName}\`)`)
  expect(promised('accept-label')).toBe(config.publish.acceptLabel)
})

test('an upload that mode: publish would not make is refused; whoever asked for it would miss it', () => {
  const reading = (mode: string) => () => readInputs(getInput({ mode, upload: 'true' }))
  expect(reading('publish')).toThrow('input upload: is for the run that evaluates')
  for (const mode of ['gate', 'merge']) expect(reading(mode)()).toMatchObject({ mode, upload: true })
})

test('GitHub runs the bundle on Node 24', () => {
  expect(metadata.runs).toEqual({ using: 'node24', main: 'dist/main/index.js' })
})
