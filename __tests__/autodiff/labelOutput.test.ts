import { expect, test } from '@jest/globals'
import { gradientModelOf } from '../../src/autodiff/gradientModel.js'
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
