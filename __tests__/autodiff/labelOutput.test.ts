import { describe, expect, test } from '@jest/globals'
import { gradientModelOf } from '../../src/autodiff/gradientModel.js'
import { inspectModel } from '../../src/autodiff/inspect.js'
import { labelWatch } from '../../src/autodiff/labelWatch.js'
import { withoutGradient } from '../../src/autodiff/withoutGradient.js'
import { makeNode } from '../../src/onnx/attributes.js'
import type { Graph } from '../../src/onnx/graph.js'
import { runModel } from '../support/onnxruntime.js'
import { build, dense, four, gemm, model } from './smallClassifier.js'
import { integers, reals } from './support.js'

/** As the converters of scikit-learn and LightGBM write them: the class first, behind it what it was chosen by. */
const label = { name: 'label', type: 'int64' as const, dims: ['n'] }
const y = { name: 'y', type: 'float32' as const, dims: ['n', 3] }
const nodes = [
  gemm('z'),
  makeNode('Softmax', ['z'], ['y']),
  makeNode('ArgMax', ['y'], ['label'], { keepdims: 0, axis: 1 }),
]
const classifier = (outputs: Graph['outputs']): Uint8Array => model(nodes, dense(3), { outputs })

test('a model whose first output is the class is attacked by its second', async () => {
  const bytes = classifier([label, y])
  expect(await build(bytes)).toMatchObject({ classes: 3, output: { name: 'y', kind: 'probabilities' } })
  const facts = await withoutGradient({ name: 'small.onnx', bytes, external: {} }, four)
  expect(facts).toMatchObject({ classes: 3, output: { name: 'y', kind: 'probabilities' } })
})

test('its gradient is that of a model without the class', async () => {
  const gradientOf = async (outputs: Graph['outputs']) => {
    const source = { name: 'small.onnx', bytes: classifier(outputs), external: {} }
    const feeds = new Map([
      ['x', reals('float32', [2, 4], 3)],
      ['label', integers([0, 2])],
    ])
    return (await runModel(await gradientModelOf(source, runModel), feeds)).get('gradient')
  }
  expect(await gradientOf([label, y])).toEqual(await gradientOf([y]))
})

/** Taken for a logit, every class but 0 would be one class. */
test('a model that says the class and no more is refused, with a gradient and without', async () => {
  const bytes = classifier([label])
  const message = /"label" is the class itself, .*; export the model with its scores or probabilities/
  await expect(build(bytes)).rejects.toThrow(message)
  await expect(withoutGradient({ name: 'small.onnx', bytes, external: {} }, four)).rejects.toThrow(message)
})

test('inspect names the output that is read', async () => {
  const inspected = await inspectModel({ name: 'small.onnx', bytes: classifier([label, y]), external: {} })
  expect(inspected.scores).toBe('y')
})

/** How sure it is of the class it says, read as the logit of class 1, is another classifier, and any candidate passes. */
test.each<[string, readonly (number | string)[] | undefined, number]>([
  ['[n, 1]', ['n', 1], 1],
  ['[n]', ['n'], 0],
  ['of a shape that is not declared', undefined, 1],
])('a class and one confidence %s is refused, with a gradient and without', async (_, dims, keepdims) => {
  const sure = [...nodes, makeNode('ReduceMax', ['y', 'axis'], ['confidence'], { keepdims })]
  const outputs = [label, { name: 'confidence', type: 'float32' as const, dims }]
  const bytes = model(sure, { ...dense(3), axis: integers([1]) }, { outputs, opsets: new Map([['', 18]]) })
  const message = /"label" is the class itself, .*; export the model with its scores or probabilities/
  await expect(build(bytes)).rejects.toThrow(message)
  await expect(withoutGradient({ name: 'small.onnx', bytes, external: {} }, four)).rejects.toThrow(message)
})

test('of a confidence and scores behind the class the scores are read', async () => {
  const sure = [...nodes, makeNode('ReduceMax', ['y', 'axis'], ['confidence'], { keepdims: 1 })]
  const outputs = [label, { name: 'confidence', type: 'float32' as const, dims: ['n', 1] }, y]
  const bytes = model(sure, { ...dense(3), axis: integers([1]) }, { outputs, opsets: new Map([['', 18]]) })
  expect(await build(bytes)).toMatchObject({ classes: 3, output: { name: 'y', label: 'label' } })
})

/** Whoever deploys it reads the label, which is another class on every image: the scores would be graded in its place. */
test('a class that is not that of the greatest score is refused, with a gradient and without', async () => {
  const turned = [
    makeNode('Gemm', ['x', 'w'], ['y']),
    makeNode('ArgMin', ['x'], ['darkest'], { axis: 1, keepdims: 0 }),
    makeNode('Add', ['darkest', 'one'], ['next']),
    makeNode('Mod', ['next', 'four'], ['label']),
  ]
  // Scores are the pixels, darkest first: which of them is darkest changes from sample to sample.
  const w = {
    type: 'float32' as const,
    dims: [4, 4],
    data: Float32Array.from([-1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1]),
  }
  const constants = { w, one: integers([1], []), four: integers([4], []) }
  const bytes = model(turned, constants, { outputs: [label, { ...y, dims: ['n', 4] }] })
  const message = /"label" is "\d" where "y" is greatest at place \d, and "\d" where .*; make the label the argmax/
  await expect(build(bytes)).rejects.toThrow(message)
  await expect(withoutGradient({ name: 'small.onnx', bytes, external: {} }, four)).rejects.toThrow(message)
})

describe('the class and the greatest score', () => {
  const said = (values: readonly (number | string)[]) =>
    typeof values[0] === 'string'
      ? { type: 'string' as const, dims: [values.length], data: values.map(String) }
      : integers(values.map(Number))
  /** One row for each place, in which it is the greatest. */
  const scores = (places: readonly number[]): readonly number[] =>
    places.flatMap((place) => [0, 1, 2].map((at) => (at === place ? 1 : 0)))

  test.each<[string, readonly (number | string)[]]>([
    ['places', [2, 0, 1, 2]],
    ['numbers that do not start at 0', [30, 10, 20, 30]],
    ['names in any order', ['ant', 'cat', 'bee', 'ant']],
  ])('agree as %s', (_, labels) => {
    expect(() => labelWatch('label', 'y')(said(labels), scores([2, 0, 1, 2]))).not.toThrow()
  })

  test.each<[string, readonly (number | string)[]]>([
    ['another class each', [0, 1, 2, 0]],
    ['two labels of one place', [2, 0, 1, 1]],
    ['one label of two places', [2, 1, 1, 2]],
    ['one name of two places', ['ant', 'bee', 'bee', 'ant']],
    ['two names of one place', ['ant', 'bee', 'cat', 'cow']],
  ])('disagree as %s', (_, labels) => {
    expect(() => labelWatch('label', 'y')(said(labels), scores([2, 0, 1, 2]))).toThrow('is not that of the greatest')
  })

  test('disagree from one batch to the next', () => {
    const watch = labelWatch('label', 'y')
    watch(said([1]), scores([0]))
    expect(() => watch(said([0]), scores([2]))).toThrow('is not that of the greatest')
  })

  /** Probabilities in float32 are alike, and swap, where the scores behind the label are not. */
  test('say nothing where two scores are alike up to rounding, or are no numbers', () => {
    const watch = labelWatch('label', 'y')
    watch(said([0, 1]), [0.5, 0.5 + 2 ** -24, 0, 0.5, 0.5, 0])
    watch(said([0, 1, 2]), [...scores([0, 1]), Number.NaN, Number.NaN, Number.NaN])
  })
})
