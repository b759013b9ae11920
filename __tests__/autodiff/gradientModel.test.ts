import { expect, test } from '@jest/globals'
import { gradientModelOf } from '../../src/autodiff/gradientModel.js'
import { makeNode } from '../../src/onnx/attributes.js'
import { decodeModel } from '../../src/onnx/codec.js'
import type { Tensor } from '../../src/onnx/graph.js'
import { runModel } from '../support/onnxruntime.js'
import { dense, gemm, model } from './smallClassifier.js'
import { integers, numbersOf, reals } from './support.js'

test('gradient writes a model anyone can run: the input and label in; logits, loss and gradient out', async () => {
  const bytes = await gradientModelOf(
    { name: 'small.onnx', bytes: model([gemm('y')], dense(3)), external: {} },
    runModel,
  )
  const { inputs, outputs } = decodeModel(bytes)
  expect(inputs).toEqual([
    { name: 'x', type: 'float32', dims: ['batch', 4] },
    { name: 'label', type: 'int64', dims: ['batch'] },
  ])
  expect(outputs).toEqual([
    { name: 'logits', type: 'float32', dims: ['batch', 3] },
    { name: 'loss', type: 'float32', dims: ['batch'] },
    { name: 'gradient', type: 'float32', dims: ['batch', 4] },
  ])
  const x = reals('float32', [2, 4], 67, 0, 1)
  const results = await runModel(
    bytes,
    new Map([
      ['x', x],
      ['label', integers([2, 0])],
    ]),
  )
  const { w, c } = dense(3)
  ;[2, 0].forEach((label, row) => {
    const z = [0, 1, 2].map((k) =>
      numbersOf(x)
        .slice(row * 4, row * 4 + 4)
        .reduce((sum, pixel, at) => sum + pixel * numbersOf(w)[at * 3 + k], numbersOf(c)[k]),
    )
    const total = z.reduce((sum, logit) => sum + Math.exp(logit), 0)
    expect(numbersOf(results.get('loss') as Tensor)[row]).toBeCloseTo(Math.log(total) - z[label], 5)
    for (let at = 0; at < 4; at++) {
      const slope = z.reduce(
        (sum, logit, k) => sum + (Math.exp(logit) / total - (k === label ? 1 : 0)) * numbersOf(w)[at * 3 + k],
        0,
      )
      expect(numbersOf(results.get('gradient') as Tensor)[row * 4 + at]).toBeCloseTo(slope, 5)
    }
  })
})

test('holds nothing that nobody reads, though the gradient of a map that two convolutions read is made of both at once', async () => {
  const half = { strides: [2, 2] }
  const bytes = model(
    [
      makeNode('Conv', ['x', 'w'], ['a'], { ...half, pads: [1, 1, 1, 1] }),
      makeNode('Conv', ['x', 'v'], ['b'], half),
      makeNode('Add', ['a', 'b'], ['sum']),
      makeNode('GlobalAveragePool', ['sum'], ['mean']),
      makeNode('Flatten', ['mean'], ['y']),
    ],
    { w: reals('float32', [3, 16, 3, 3], 7), v: reals('float32', [3, 16, 1, 1], 9) },
    { inputs: [{ name: 'x', type: 'float32', dims: ['n', 16, 4, 4] }] },
  )
  const made = decodeModel(await gradientModelOf({ name: 'residual.onnx', bytes, external: {} }, runModel))
  const read = new Set([...made.outputs.map(({ name }) => name), ...made.nodes.flatMap(({ inputs }) => inputs)])
  expect(made.nodes.filter(({ outputs }) => !outputs.some((name) => read.has(name)))).toEqual([])
  expect([...made.constants.keys()].filter((name) => !read.has(name))).toEqual([])
  expect(made.nodes.filter(({ op }) => op === 'ConvTranspose')).toEqual([])
})
