import { describe, expect, test } from '@jest/globals'
import { gradientModelOf } from '../../src/autodiff/gradientModel.js'
import { inspectModel } from '../../src/autodiff/inspect.js'
import { buildSurrogate } from '../../src/autodiff/surrogate.js'
import type { Surrogate, SurrogateOptions } from '../../src/autodiff/surrogate.js'
import { UsageError } from '../../src/errors.js'
import { makeNode } from '../../src/onnx/attributes.js'
import { decodeModel, encodeModel } from '../../src/onnx/codec.js'
import type { Graph, Node, Tensor } from '../../src/onnx/graph.js'
import { runModel } from '../support/onnxruntime.js'
import { ask, mnist, plain } from './asking.js'
import { floating, integers, numbersOf, reals } from './support.js'

describe('models a classifier may be', () => {
  const dense = (out: number): Readonly<Record<string, Tensor>> => ({
    w: reals('float32', [4, out], 51),
    c: reals('float32', [out], 53),
  })
  const four = { ...mnist, shape: [4], layout: 'flat' } as const

  function model(
    nodes: readonly Node[],
    constants: Readonly<Record<string, Tensor>>,
    changes: Partial<Graph> = {},
  ): Uint8Array {
    return encodeModel({
      name: 'small',
      opsets: new Map([['', 17]]),
      irVersion: 8,
      inputs: [{ name: 'x', type: 'float32', dims: ['n', 4] }],
      outputs: [{ name: 'y' }],
      nodes,
      constants: new Map(Object.entries(constants)),
      ...changes,
    })
  }

  /** Distances to fixed points: an operator of onnxruntime's own that has no rule. */
  function withDistances(): Uint8Array {
    const distances = makeNode('CDist', ['z', 'far'], ['y'], { metric: 'euclidean' }, 'distance', 'com.microsoft')
    const opsets = new Map(Object.entries({ '': 17, 'com.microsoft': 1 }))
    return model([gemm('z'), distances], { ...dense(3), far: reals('float32', [3, 3], 73) }, { opsets })
  }

  const build = (bytes: Uint8Array, options: SurrogateOptions = four): Promise<Surrogate> =>
    buildSurrogate({ name: 'small.onnx', bytes, external: {} }, options)

  const gemm = (output: string): Node => makeNode('Gemm', ['x', 'w', 'c'], [output])

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

  const refused = async (bytes: Uint8Array, options: SurrogateOptions = four): Promise<string> => {
    const error = await build(bytes, options).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(UsageError)
    const { message } = error as UsageError
    expect(message).not.toContain('\n')
    expect(message).toContain('small.onnx')
    return message
  }

  test('what cannot be attacked is refused with its reason', async () => {
    const two = {
      inputs: [
        { name: 'x', type: 'float32' as const, dims: ['n', 4] },
        { name: 'mask', type: 'float32' as const, dims: ['n', 4] },
      ],
    }
    expect(
      await refused(
        model([makeNode('Mul', ['x', 'mask'], ['m']), makeNode('Gemm', ['m', 'w', 'c'], ['y'])], dense(3), two),
      ),
    ).toMatch(/2 inputs \(x, mask\)/)
    const whole = { inputs: [{ name: 'x', type: 'int64' as const, dims: ['n', 4] }] }
    expect(
      await refused(
        model([makeNode('Cast', ['x'], ['f'], { to: 1 }), makeNode('Gemm', ['f', 'w', 'c'], ['y'])], dense(3), whole),
      ),
    ).toMatch(/"x" is of type int64/)
    expect(await refused(withDistances())).toMatch(/com\.microsoft\.CDist \(node "distance"\) has no gradient rule/)
    expect(await refused(model([gemm('y')], dense(3)), { ...mnist })).toMatch(
      /takes images of shape \[4\] but the data's are \[1, 28, 28\]/,
    )
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

  test('inspect names the operators without a rule, and where they are', async () => {
    const bytes = withDistances()
    const inspection = await inspectModel({ name: 'small.onnx', bytes, external: {} })
    expect(inspection).toMatchObject({
      inputs: [{ name: 'x', type: 'float32', dims: ['n', 4] }],
      parameters: 24,
      operators: [
        { operator: 'Gemm', count: 1, gradient: 'rule' },
        { operator: 'com.microsoft.CDist', count: 1, gradient: 'missing', nodes: ['distance'] },
      ],
    })
    expect(inspection.problems).toEqual([
      expect.stringMatching(/^operator com\.microsoft\.CDist \(node "distance"\) has no gradient rule; /),
    ])
  })

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
})
