import { describe, expect, test } from '@jest/globals'
import { namedSuite } from '../../src/config/suites.js'
import { loadModel } from '../../src/engine/load.js'
import type { LoadRequest } from '../../src/engine/messages.js'
import { makeNode } from '../../src/onnx/attributes.js'
import { encodeModel } from '../../src/onnx/codec.js'
import type { Node, Tensor } from '../../src/onnx/graph.js'
import { body } from '../autodiff/cases/bodies.js'
import { dataset, loadRequest } from './support/fixtures.js'

const IMAGE = [0.25, 0.5, 0.75, 1]
/** Of three classes only the second sees the pixels. */
const SLOPES = [2, -3, 1, 0.5]

const floats = (dims: readonly number[], values: readonly number[]): Tensor => ({
  type: 'float32',
  dims,
  data: Float32Array.from(values),
})
const CONSTANTS = new Map<string, Tensor>([
  [
    'w',
    floats(
      [4, 3],
      SLOPES.flatMap((slope) => [0, slope, 0]),
    ),
  ],
  ['ones', floats([4], [1, 1, 1, 1])],
  ['half', floats([], [0.5])],
  ['odds', floats([1, 2], [Math.log(0.25), Math.log(0.75)])],
  ['all', { type: 'int64', dims: [1], data: BigInt64Array.of(16n) }],
  ['square', { type: 'int64', dims: [2], data: BigInt64Array.of(4n, 4n) }],
  ['training', { type: 'bool', dims: [], data: Uint8Array.of(1) }],
  ['three', { type: 'int64', dims: [], data: BigInt64Array.of(3n) }],
])
const healthy = loadRequest('fashion/fashion-hardened.onnx', dataset('fashion/fashion-test.npz', 1), { batch: 16 })

/** x [n, 4] → y [n, 3], to be attacked with `autoattack-rand`. */
function request(nodes: readonly Node[], { opset = 17, batch = 'n' as string | number } = {}): LoadRequest {
  const bytes = encodeModel({
    name: 'draws',
    opsets: new Map([
      ['', opset],
      ['ai.onnx.ml', 1],
    ]),
    irVersion: opset > 20 ? 10 : 8,
    inputs: [{ name: 'x', type: 'float32', dims: [batch, 4] }],
    outputs: [{ name: 'y', type: 'float32', dims: [batch, 3] }],
    nodes,
    constants: CONSTANTS,
  })
  const { attacks } = namedSuite('autoattack-rand')
  return { ...healthy, shape: [4], model: { name: 'draws.onnx', bytes, external: {} }, attacks }
}

const branch = (node: Node) => body([], node.outputs, [node])

const fixedNoise = [
  makeNode('RandomNormal', [], ['noise'], { shape: [1, 4] }),
  makeNode('Add', ['x', 'noise'], ['fed']),
  makeNode('MatMul', ['fed', 'w'], ['y']),
]
/** [4, 3] reshaped with the batch of 4 written down twice: images that nobody can part. */
const wholeBatch = [
  ...fixedNoise.slice(0, 2),
  makeNode('Reshape', ['fed', 'all'], ['row']),
  makeNode('Reshape', ['row', 'square'], ['back']),
  makeNode('MatMul', ['back', 'w'], ['y']),
]
/** The same with noise on the weights, which are as many rows as there are images. */
const wholeBatchOfWeights = [
  makeNode('Reshape', ['x', 'all'], ['row']),
  makeNode('Reshape', ['row', 'square'], ['back']),
  makeNode('Dropout', ['w', 'half', 'training'], ['kept']),
  makeNode('MatMul', ['back', 'kept'], ['y']),
]
const dropConnect = [makeNode('Dropout', ['w', 'half', 'training'], ['kept']), makeNode('MatMul', ['x', 'kept'], ['y'])]
const branches = {
  then_branch: branch(makeNode('Dropout', ['x', 'half', 'training'], ['drawn'])),
  else_branch: branch(makeNode('Neg', ['x'], ['still'])),
}
const noisyStep = body(
  ['i', 'go', 'carried'],
  ['goesOn', 'next'],
  [
    makeNode('Identity', ['go'], ['goesOn']),
    makeNode('RandomNormalLike', ['carried'], ['noise'], { scale: { float: 0.5 } }),
    makeNode('Add', ['carried', 'noise'], ['next']),
  ],
)
const weighted = SLOPES.map((slope, pixel) => slope * IMAGE[pixel])
const rootMeanSquare = Math.hypot(...IMAGE) / 2

/** By hand: the mean of the second logit, and how far one draw scatters it. */
const MODELS: readonly (readonly [string, LoadRequest, scatter: number, mean?: number])[] = [
  ['noise of a shape that is written down', request(fixedNoise), Math.hypot(...SLOPES)],
  ['the same, exported for one image', request(fixedNoise, { batch: 1 }), Math.hypot(...SLOPES)],
  [
    // Uniform in [0, 2]: √(2² / 12).
    'a factor for each pixel, the same for all images',
    request([
      makeNode('RandomUniform', [], ['noise'], { shape: [4], low: { float: 0 }, high: { float: 2 } }),
      makeNode('Mul', ['x', 'noise'], ['fed']),
      makeNode('MatMul', ['fed', 'w'], ['y']),
    ]),
    Math.hypot(...weighted) / Math.sqrt(3),
  ],
  [
    'noise on weights, as Bayesian networks have it',
    request([
      makeNode('RandomNormalLike', ['w'], ['noise'], { scale: { float: 0.5 } }),
      makeNode('Add', ['w', 'noise'], ['drawn']),
      makeNode('MatMul', ['x', 'drawn'], ['y']),
    ]),
    0.5 * Math.hypot(...IMAGE),
  ],
  // 0 or 2, each with probability ½.
  ['Dropout of weights that trains', request(dropConnect), Math.hypot(...weighted)],
  [
    'one class of Bernoulli’s numbers for each pixel',
    request([
      makeNode('Mul', ['ones', 'half'], ['probabilities']),
      makeNode('Bernoulli', ['probabilities'], ['noise']),
      makeNode('Mul', ['x', 'noise'], ['fed']),
      makeNode('MatMul', ['fed', 'w'], ['y']),
    ]),
    Math.hypot(...weighted) / 2,
    weighted.reduce((sum, value) => sum + value, 0) / 2,
  ],
  [
    // 1 with probability ¾, for all pixels alike.
    'a factor of Multinomial’s classes',
    request([
      makeNode('Multinomial', ['odds'], ['class'], { sample_size: 1 }),
      makeNode('Cast', ['class'], ['factor'], { to: 1 }),
      makeNode('Mul', ['x', 'factor'], ['fed']),
      makeNode('MatMul', ['fed', 'w'], ['y']),
    ]),
    Math.sqrt(0.1875) * weighted.reduce((sum, value) => sum + value, 0),
    0.75 * weighted.reduce((sum, value) => sum + value, 0),
  ],
  [
    'Dropout behind an operator that is newer than onnxruntime’s random ones',
    request(
      [
        makeNode('RMSNormalization', ['x', 'ones'], ['normal']),
        makeNode('Dropout', ['normal', 'half', 'training'], ['fed']),
        makeNode('MatMul', ['fed', 'w'], ['y']),
      ],
      { opset: 23 },
    ),
    Math.hypot(...weighted) / rootMeanSquare,
    weighted.reduce((sum, value) => sum + value, 0) / rootMeanSquare,
  ],
  [
    'Dropout in front of an attribute that is newer than those',
    request(
      [
        makeNode('Dropout', ['x', 'half', 'training'], ['dropped']),
        makeNode('Cast', ['dropped'], ['fed'], { to: 1, round_mode: 'up' }),
        makeNode('MatMul', ['fed', 'w'], ['y']),
      ],
      { opset: 24 },
    ),
    Math.hypot(...weighted),
  ],
  [
    'Dropout in the branch that is taken',
    request([makeNode('If', ['training'], ['fed'], branches), makeNode('MatMul', ['fed', 'w'], ['y'])]),
    Math.hypot(...weighted),
  ],
  [
    'Dropout in a branch beside an operator that is newer than onnxruntime’s random ones',
    request(
      [
        makeNode('If', ['training'], ['fed'], {
          then_branch: body(
            [],
            ['drawn'],
            [
              makeNode('RMSNormalization', ['x', 'ones'], ['normal']),
              makeNode('Dropout', ['normal', 'half', 'training'], ['drawn']),
            ],
          ),
          else_branch: branches.else_branch,
        }),
        makeNode('MatMul', ['fed', 'w'], ['y']),
      ],
      { opset: 23 },
    ),
    Math.hypot(...weighted) / rootMeanSquare,
    weighted.reduce((sum, value) => sum + value, 0) / rootMeanSquare,
  ],
  [
    'three steps of a Loop, each with normal noise of its own',
    request([
      makeNode('Loop', ['three', 'training', 'x'], ['fed'], { body: noisyStep }),
      makeNode('MatMul', ['fed', 'w'], ['y']),
    ]),
    0.5 * Math.sqrt(3) * Math.hypot(...SLOPES),
  ],
  [
    'the same with the weights, which no image goes through',
    request([
      makeNode('Loop', ['three', 'training', 'w'], ['drawn'], { body: noisyStep }),
      makeNode('MatMul', ['x', 'drawn'], ['y']),
    ]),
    0.5 * Math.sqrt(3) * Math.hypot(...IMAGE),
  ],
]

const DRAWS = 512

/** EOT asks twenty times at one point: equal answers cost twenty times as much, and the model passes for robust by its noise. */
describe('asked several times at one point, the gradient model draws anew each time', () => {
  test.each(MODELS)('%s', async (_, load, scatter, mean = weighted.reduce((sum, value) => sum + value, 0)) => {
    const { engine, flags, plan } = await loadModel(load)
    const point = Float32Array.from(IMAGE)
    const loss = { name: 'cross-entropy', label: 0 } as const
    const found: number[] = []
    const { batch } = engine.gradient
    while (found.length < DRAWS) {
      const questions = Array.from({ length: batch }, () => ({ kind: 'gradient', point, loss }) as const)
      for (const { logits } of await engine.gradient.answer(questions)) found.push(logits[1])
    }
    const average = found.reduce((sum, value) => sum + value, 0) / found.length
    const deviation = Math.hypot(...found.map((value) => value - average)) / Math.sqrt(found.length)
    // Six deviations of a mean and, of what is not more pointed than normal numbers, of a deviation: one in a hundred million.
    expect(Math.abs(average - mean)).toBeLessThan((6 * scatter) / Math.sqrt(DRAWS))
    expect(Math.abs(deviation - scatter)).toBeLessThan((6 * scatter) / Math.sqrt(2 * DRAWS))
    expect(flags.map(({ code }) => code)).toContain('randomness')
    expect(flags.map(({ message }) => message).join()).not.toContain('averag')
    expect(plan.attacks.map((attack) => 'eot' in attack && attack.eot)).toEqual([20, 20])
  })
})

/** Who is told to average, or that it was done, believes an attack that saw one draw at most. */
describe('where that cannot be, the flag says so, and nobody pays for twenty equal gradients', () => {
  const swish = [
    makeNode('Dropout', ['w', 'half', 'training'], ['kept']),
    makeNode('Swish', ['kept'], ['bent']),
    makeNode('MatMul', ['x', 'bent'], ['y']),
  ]
  const neverTaken = [
    makeNode('Not', ['training'], ['told']),
    makeNode('If', ['told'], ['fed'], branches),
    makeNode('MatMul', ['fed', 'w'], ['y']),
  ]
  const neverTakenOfWeights = [
    makeNode('Not', ['training'], ['told']),
    makeNode('If', ['told'], ['turned'], {
      then_branch: branch(makeNode('Dropout', ['w', 'half', 'training'], ['drawn'])),
      else_branch: branch(makeNode('Neg', ['w'], ['still'])),
    }),
    makeNode('MatMul', ['x', 'turned'], ['y']),
  ]
  // Nobody knows before the graph has run which branch is taken.
  const newerInside = [
    makeNode('Dropout', ['ones', 'half', 'training'], ['noise']),
    makeNode('ReduceSum', ['noise'], ['sum'], { keepdims: 0 }),
    makeNode('Greater', ['sum', 'half'], ['told']),
    makeNode('If', ['told'], ['bent'], {
      then_branch: branch(makeNode('Swish', ['noise'], ['smooth'])),
      else_branch: branch(makeNode('Neg', ['noise'], ['opposite'])),
    }),
    makeNode('Add', ['x', 'bent'], ['fed']),
    makeNode('MatMul', ['fed', 'w'], ['y']),
  ]
  test.each([
    ['one draw for a batch that cannot be divided', request(wholeBatch, { batch: 4 })],
    ['one draw of weights for a batch that cannot be divided', request(wholeBatchOfWeights, { batch: 4 })],
    ['noise in a branch that is never taken', request(neverTaken)],
    ['noise of weights in a branch that is never taken', request(neverTakenOfWeights)],
    ['noise that goes through such an operator in a branch', request(newerInside, { opset: 24 })],
    ['noise that goes through an operator newer than onnxruntime’s random ones', request(swish, { opset: 24 })],
  ])('%s', async (_, load) => {
    const { flags, plan } = await loadModel(load)
    expect(flags).toEqual([
      {
        code: 'randomness',
        message: expect.stringMatching(
          / Its gradients cannot be averaged, .*: export the model without the randomness\.$/,
        ),
      },
    ])
    expect(plan.gradient).toBe(true)
    expect(plan.attacks.map((attack) => 'eot' in attack && attack.eot)).toEqual([1, 1])
  })

  const isBright = [
    makeNode('ReduceMax', ['x'], ['brightest'], { keepdims: 0 }),
    makeNode('Greater', ['brightest', 'half'], ['bright']),
  ]
  test('noise inside a branch that the image chooses leaves no gradient: search alone attacks', async () => {
    const nodes = [...isBright, makeNode('If', ['bright'], ['fed'], branches), makeNode('MatMul', ['fed', 'w'], ['y'])]
    const { flags, plan } = await loadModel(request(nodes))
    expect(flags.map(({ code }) => code)).toEqual(expect.arrayContaining(['randomness', 'no-gradient-rule']))
    expect(plan.gradient).toBe(false)
    expect(plan.attacks.map(({ name }) => name)).toEqual(['square', 'noise'])
  })

  test('without any gradient that is what the flags tell to mend', async () => {
    const [noise, add, product] = fixedNoise
    const impute = makeNode('Imputer', ['fed'], ['whole'], { imputed_value_floats: { floats: [0] } }, '', 'ai.onnx.ml')
    const { flags } = await loadModel(request([noise, add, impute, { ...product, inputs: ['whole', 'w'] }]))
    expect(flags.map(({ code }) => code)).toEqual(['randomness', 'no-gradient-rule'])
    expect(flags[0].message).toMatch(/differ from run to run\.$/)
  })
})
