import { describe, expect, test } from '@jest/globals'
import { makeNode } from '../../src/onnx/attributes.js'
import { ask, mnist, plain } from './asking.js'
import { build, dense, four, gemm, model } from './smallClassifier.js'
import { floating, integers, numbersOf, reals } from './support.js'

describe('models a classifier may be', () => {
  test.each([
    ['one-logit', [gemm('y')]],
    ['one-probability', [gemm('z'), makeNode('Sigmoid', ['z'], ['y'])]],
  ] as const)('%s: a single output z is the two classes 0 and z', async (kind, nodes) => {
    const surrogate = await build(model(nodes, dense(1)))
    expect(surrogate).toMatchObject({ classes: 2, output: { kind } })
    const x = reals('float32', [1, 4], 57, 0, 1)
    const { logits, gradient, value } = await ask(surrogate, x, 0, [1])
    const { w, c } = dense(1)
    const z = numbersOf(x).reduce((sum, pixel, at) => sum + pixel * numbersOf(w)[at], numbersOf(c)[0])
    expect(logits[0]).toBe(0)
    expect(logits[1]).toBeCloseTo(z, 5)
    // log(1 + e^−z), and its slope −σ(−z)·w
    expect(value[0]).toBeCloseTo(Math.log1p(Math.exp(-z)), 5)
    gradient.forEach((slope, at) => expect(slope).toBeCloseTo((-1 / (1 + Math.exp(z))) * numbersOf(w)[at], 5))
  })

  test('LogSoftmax at the end is looked behind too', async () => {
    const surrogate = await build(model([gemm('z'), makeNode('LogSoftmax', ['z'], ['y'], { axis: 1 })], dense(3)))
    expect(surrogate).toMatchObject({ classes: 3, output: { kind: 'log-probabilities' } })
  })

  test('an export of one image that squeezes its output gives one row: logits and gradient are those of the row', async () => {
    const inputs = [{ name: 'x', type: 'float32' as const, dims: [1, 4] }]
    const squeezed = model(
      [gemm('z'), makeNode('Squeeze', ['z', 'first'], ['y'])],
      { ...dense(3), first: integers([0]) },
      { inputs },
    )
    const surrogate = await build(squeezed)
    expect(surrogate).toMatchObject({ classes: 3, originalBatch: 1, output: { kind: 'logits' } })
    const x = reals('float32', [1, 4], 57, 0, 1)
    const asked = await ask(surrogate, x, 4, [0])
    expect(asked).toEqual(await ask(await build(model([gemm('y')], dense(3), { inputs })), x, 4, [0]))
  })

  test('a batch that cannot be freed is run as it is', async () => {
    // The sum over the batch makes images depend on one another: no batch but the declared one means the same.
    const nodes = [
      makeNode('ReduceSum', ['x', 'axes'], ['s']),
      makeNode('Add', ['x', 's'], ['a']),
      makeNode('Gemm', ['a', 'w', 'c'], ['y']),
    ]
    const bytes = model(
      nodes,
      { ...dense(3), axes: integers([0]) },
      { inputs: [{ name: 'x', type: 'float32', dims: [2, 4] }] },
    )
    expect(await build(bytes)).toMatchObject({ gradientBatch: 2, originalBatch: 2 })
  })

  test.each([
    ['the largest pixel', [makeNode('ReduceMax', ['x', 'axes'], ['m'])], [0, 1]],
    ['the smallest pixel', [makeNode('ReduceMin', ['x', 'axes'], ['m'])], [0, 1]],
    ['the mean of each pixel', [makeNode('ReduceMean', ['x', 'axes'], ['m'])], [0]],
  ] as const)(
    'a model that scales by %s of the batch is never run in batches, whatever it declares',
    async (_, nodes, axes) => {
      // Two images in a batch would change one another: their answers would depend on who stands beside them.
      const rest = [
        makeNode('Add', ['x', 'm'], ['a']),
        makeNode('Gemm', ['a', 'w', 'c'], ['z']),
        makeNode('Softmax', ['z'], ['y']),
      ]
      const constants = { ...dense(3), axes: integers(axes) }
      for (const dims of [
        ['n', 4],
        [1, 4],
      ]) {
        const bytes = model([...nodes, ...rest], constants, {
          opsets: new Map([['', 18]]),
          inputs: [{ name: 'x', type: 'float32', dims }],
        })
        expect(await build(bytes)).toMatchObject({ gradientBatch: 1, originalBatch: 1 })
      }
    },
  )

  test('preprocessing is part of what is differentiated, so that ε stays in pixels', async () => {
    const bytes = model([gemm('y')], dense(3))
    const scaled = await build(bytes, { ...four, preprocessing: { ...plain, mean: [0.5], std: [0.25] } })
    const x = reals('float32', [1, 4], 59, 0, 1)
    const inModelUnits = floating(
      'float32',
      [1, 4],
      numbersOf(x).map((pixel) => (pixel - 0.5) / 0.25),
    )
    const direct = await ask(await build(bytes), inModelUnits, 4, [0])
    const through = await ask(scaled, x, 4, [0])
    through.gradient.forEach((slope, at) => expect(slope).toBeCloseTo(direct.gradient[at] / 0.25, 4))
    through.logits.forEach((logit, at) => expect(logit).toBeCloseTo(direct.logits[at], 4))
  })

  test('channels in the order of BGR, in either layout', async () => {
    const channels = { w: reals('float32', [12, 2], 61) }
    const inputs = [{ name: 'x', type: 'float32' as const, dims: ['n', 2, 2, 3] }]
    const bytes = model([makeNode('Flatten', ['x'], ['f']), makeNode('MatMul', ['f', 'w'], ['y'])], channels, {
      inputs,
    })
    const options = {
      ...mnist,
      shape: [3, 2, 2],
      preprocessing: { ...plain, layout: 'nhwc', channelOrder: 'bgr' },
    } as const
    const x = reals('float32', [1, 3, 2, 2], 63, 0, 1)
    const { logits } = await ask(await build(bytes, options), x, 0, [0])
    // Pixel p, channel k of the model is channel 2 − k of the image.
    const expected = [0, 1].map((output) => {
      let sum = 0
      for (let pixel = 0; pixel < 4; pixel++)
        for (let k = 0; k < 3; k++)
          sum += numbersOf(x)[(2 - k) * 4 + pixel] * numbersOf(channels.w)[(pixel * 3 + k) * 2 + output]
      return sum
    })
    logits.forEach((logit, at) => expect(logit).toBeCloseTo(expected[at], 5))
  })

  test('a cast to whole numbers and back is a step that the gradient passes straight through', async () => {
    // y = trunc(8·x)·w: where a slope of zero would hide the model, its gradient is that of 8·x·w.
    const eight = { k: floating('float32', [], [8]) }
    const nodes = [
      makeNode('Mul', ['x', 'k'], ['scaled']),
      makeNode('Cast', ['scaled'], ['whole'], { to: 6 }),
      makeNode('Cast', ['whole'], ['back'], { to: 1 }),
      makeNode('MatMul', ['back', 'w'], ['y']),
    ]
    const signed = { ...four, range: [-1, 1] as const }
    const surrogate = await build(model(nodes, { w: dense(3).w, ...eight }), signed)
    expect(surrogate.straightThrough).toEqual(['Cast'])
    const x = reals('float32', [1, 4], 79, -1, 1)
    const { logits, gradient } = await ask(surrogate, x, 4, [0])
    const w = numbersOf(dense(3).w)
    const direction = [1, 2, 3].map(Math.sin)
    const whole = numbersOf(x).map((pixel) => Math.trunc(8 * pixel))
    logits.forEach((logit, k) =>
      expect(logit).toBeCloseTo(
        whole.reduce((sum, value, at) => sum + value * w[at * 3 + k], 0),
        4,
      ),
    )
    gradient.forEach((slope, at) =>
      expect(slope).toBeCloseTo(
        direction.reduce((sum, weight, k) => sum + 8 * weight * w[at * 3 + k], 0),
        4,
      ),
    )
  })
})
