import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { CommanderError } from 'commander'
import { failureOf } from '../../src/cli/failure.js'
import { attackFlags, baselineFlags, dataFlags, modelFlags, policyFlags } from '../../src/cli/options.js'
import { progressLines } from '../../src/report/progress.js'
import { settingNames } from '../../src/config/schema.js'
import { EvaluationError, UsageError } from '../../src/errors.js'
import { workerEntry } from '../../src/host.js'
import { engineVersion, version } from '../../src/version.js'

describe('options', () => {
  test('every setting can be given on the command line, but for those of a pull request and lists of threats', () => {
    const flags = Object.keys({ ...dataFlags, ...modelFlags, ...baselineFlags, ...attackFlags, ...policyFlags })
    const elsewhere = ['model', 'baseline', 'threats', 'comment', 'checkName', 'acceptLabel', 'onMissingBaseline']
    expect([...flags, ...elsewhere].sort()).toEqual([...settingNames].sort())
  })

  test('--version tells the version of the package', () => {
    const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
    expect(JSON.parse(text)).toHaveProperty('version', version)
    expect(JSON.parse(text)).toHaveProperty(['dependencies', 'onnxruntime-node'], engineVersion)
  })
})

describe('exit status', () => {
  test.each([
    ['what the user can mend', new UsageError('a.onnx: is empty'), 2, 'a.onnx: is empty'],
    ['an evaluation that broke', new EvaluationError('no answer'), 3, 'no answer'],
    ['our own mistake', new TypeError('x is\nundefined'), 3, /^internal error: x is undefined \(/],
    ['a thrown text', 'boom', 3, /^internal error: boom \(/],
    ['a command line nobody understands', new CommanderError(1, 'commander.unknown', 'error: no'), 2, /^no \(/],
    ['--help', new CommanderError(0, 'commander.helpDisplayed', '(outputHelp)'), 0, undefined],
  ])('%s', (_, error, status, line) => {
    const failure = failureOf(error)
    expect(failure.status).toBe(status)
    if (line === undefined) expect(failure.line).toBeUndefined()
    else expect(failure.line).toMatch(line)
  })

  test('a file name cannot write a second line or colour the terminal', () => {
    expect(failureOf(new UsageError('a\nrobustness-gate: pass\u001b[32m.onnx: is empty')).line).toBe(
      'a robustness-gate: pass [32m.onnx: is empty',
    )
  })
})

test('a log gets a line every few seconds and one at the end, not one per image', () => {
  const lines: string[] = []
  const show = progressLines((line) => lines.push(line))
  for (let done = 1; done <= 20; done++)
    show('candidate', {
      done,
      total: 20,
      correct: 0.8 * done,
      robust: { 'linf-0.1': 0.4 * done },
      gradients: 1000 * done,
      seconds: done,
    })
  expect(lines).toEqual([
    'candidate: 5/20 images, 1 misclassified, 2 broken (linf-0.1), 5,000 gradients, 5 s',
    'candidate: 10/20 images, 2 misclassified, 4 broken (linf-0.1), 10,000 gradients, 10 s',
    'candidate: 15/20 images, 3 misclassified, 6 broken (linf-0.1), 15,000 gradients, 15 s',
    'candidate: 20/20 images, 4 misclassified, 8 broken (linf-0.1), 20,000 gradients, 20 s',
  ])
})

test('the child’s program is found from the bundle and from unbundled sources', () => {
  expect(workerEntry('file:///action/dist/main/index.js')).toBe('/action/dist/worker/index.js')
  expect(workerEntry('file:///action/dist/cli/index.js')).toBe('/action/dist/worker/index.js')
  expect(workerEntry('file:///sources/.build/cli.js')).toBe('/sources/.build/engine/worker.js')
})
