import { describe, expect, test } from '@jest/globals'
import { listedModels, parseConfig } from '../../src/config/parse.js'
import { UsageError } from '../../src/errors.js'

const text = `
data: data/test.npz
epsilon: 8/255
maxRobustDrop: 2
models:
  - { name: digits, model: models/digits.onnx, epsilon: 0.1 }
  - { name: signs, model: models/signs.onnx, threats: [{ norm: l2, epsilon: 0.5 }], max-robust-drop: 5 }
  - { name: faces, model: models/faces.onnx, checkName: Faces }
`
const file = { name: 'robustness.yml', text }

function complaint(models: string, model = 'a', flags: Record<string, string> = {}): string {
  try {
    const listing = { name: 'robustness.yml', text: `models: ${models}\n` }
    listedModels(listing)
    parseConfig({ file: listing, model, flags, flagsAre: 'inputs' })
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
  throw new Error('nothing was complained about')
}

test('each model of the list has the file’s settings, but for those it gives itself', () => {
  expect(listedModels(file)).toEqual(['digits', 'signs', 'faces'])
  const [digits, signs] = ['digits', 'signs'].map((model) => parseConfig({ file, model }))
  expect(digits).toMatchObject({ model: 'models/digits.onnx', data: 'data/test.npz', policy: { maxRobustDrop: 2 } })
  expect(digits.threats.map(({ id }) => id)).toEqual(['linf-0.1'])
  expect(signs).toMatchObject({ model: 'models/signs.onnx', data: 'data/test.npz', policy: { maxRobustDrop: 5 } })
  expect(signs.threats.map(({ id }) => id)).toEqual(['l2-0.5'])
})

test('an input wins over the list, as it does over the rest of the file', () => {
  const config = parseConfig({ file, model: 'signs', flags: { epsilon: '0.3', maxRobustDrop: '1' } })
  expect(config.threats.map(({ id }) => id)).toEqual(['linf-0.3'])
  expect(config.policy.maxRobustDrop).toBe(1)
})

test('one check per gate: each has a name of its own, whatever they have in common', () => {
  const names = (flags = {}) =>
    ['digits', 'faces'].map((model) => parseConfig({ file, model, flags }).publish.checkName)
  expect(names()).toEqual(['Robustness gate: digits', 'Faces'])
  expect(names({ 'check-name': 'Nightly' })).toEqual(['Nightly: digits', 'Nightly: faces'])
})

test('the check of a model may not be another’s under the common name either: one would overwrite the other', () => {
  const text = 'checkName: CI\nmodels: [{name: a}, {name: b, checkName: "CI: a"}]\n'
  expect(() => listedModels({ name: 'r.yml', text })).toThrow('models[1].checkName: "CI: a" is taken')
})

test('a file without a list has none', () => {
  expect(listedModels({ name: 'a.yml', text: 'epsilon: 0.1' })).toEqual([])
  expect(listedModels(undefined)).toEqual([])
})

describe('what is wrong is told with its place', () => {
  test.each([
    ['[]', /^config robustness\.yml: models: must be a list/],
    ['[a.onnx]', /^config robustness\.yml: models\[0\]: must hold keys and values/],
    ['[{model: a.onnx}]', /models\[0\]: name: .* cannot name a folder/],
    ['[{name: ../a}]', /models\[0\]: name: "\.\.\/a" cannot name a folder/],
    ['[{name: .}]', /cannot name a folder/],
    ['[{name: a.}]', /cannot name a folder/],
    ['[{name: a}, {name: A}]', /models\[1\]\.name: "A" is taken/],
    ['[{name: a, checkName: X}, {name: b, check-name: X}]', /models\[1\]\.checkName: "X" is taken/],
    [
      '[{name: a}, {name: b, checkName: "Robustness gate: a"}]',
      /models\[1\]\.checkName: "Robustness gate: a" is taken/,
    ],
    [
      '[{name: a, checkName: "robustness gate: B"}, {name: b}]',
      /models\[1\]\.checkName: "Robustness gate: b" is taken/,
    ],
    ['[{name: 2024}]', /models\[0\]: name: 2024 is no text; put it in quotes: name: "2024"/],
    ['[{name: a, modle: a.onnx}]', /models\[0\]: unknown key "modle"; did you mean "model"\?/],
    ['[{name: a, models: []}]', /models\[0\]: unknown key "models"/],
    ['[{name: a, epsilon: x}]', /^config robustness\.yml: models\[0\]\.epsilon: /],
    ['[{name: a, epsilon: 1, threats: []}]', /threats and norm\/epsilon exclude each other/],
    ['[{name: b}]', /lists no model "a"/],
  ])('%s', (models, words) => {
    expect(complaint(models)).toMatch(words)
  })

  test('a model of the list beside one that the input names', () => {
    expect(complaint('[{name: a}]', 'a', { model: 'b.onnx' })).toMatch(
      /lists models, and the input model names another/,
    )
  })

  test('a list where one model is evaluated', () => {
    expect(() => parseConfig({ file })).toThrow(/lists models, which only a gate takes/)
  })
})
