import { create } from '@bufbuild/protobuf'
import { describe, expect, test } from '@jest/globals'
import { GraphProtoSchema } from 'onnx-buf'
import type { GraphProto } from 'onnx-buf'
import { gradientModelOf } from '../../src/autodiff/gradientModel.js'
import { makeNode } from '../../src/onnx/attributes.js'
import { canonicalise } from '../../src/onnx/canonical.js'
import { chanceOperators, withoutChance } from '../../src/onnx/chance.js'
import { decodeModel, encodeModel, writeNode } from '../../src/onnx/codec.js'
import { changed } from '../../src/onnx/proto.js'
import { settle } from '../../src/onnx/settle.js'
import { stillness } from '../../src/onnx/stillness.js'
import type { Graph, Node, Tensor } from '../../src/onnx/graph.js'
import { writeTensor } from '../../src/onnx/tensor.js'
import { modelRunner } from '../../src/engine/session.js'
import { runModelWith } from '../support/onnxruntime.js'

const run = runModelWith('all')
const PIXELS = 2000

const scalar = (value: number): Tensor => ({ type: 'float32', dims: [], data: Float32Array.of(value) })
const CONSTANTS = new Map<string, Tensor>([
  ['ratio', scalar(0.25)],
  ['training', { type: 'bool', dims: [], data: Uint8Array.of(1) }],
  ['zero', scalar(0)],
  ['inference', { type: 'bool', dims: [], data: Uint8Array.of(0) }],
  ['fifths', { type: 'float32', dims: [PIXELS], data: new Float32Array(PIXELS).fill(0.2) }],
])

/** x → y, opset 17. */
const model = (...nodes: readonly Node[]): Graph => ({
  name: 'chance',
  opsets: new Map([['', 17]]),
  irVersion: 8,
  inputs: [{ name: 'x', type: 'float32', dims: ['n', PIXELS] }],
  outputs: [{ name: 'y', type: 'float32', dims: ['n', PIXELS] }],
  nodes,
  constants: CONSTANTS,
})

/** The first is all 2, the second all 3, and so on. */
const images = (first: number, count: number): ReadonlyMap<string, Tensor> => {
  const data = Float32Array.from({ length: count * PIXELS }, (_, at) => 2 + first + Math.floor(at / PIXELS))
  return new Map([['x', { type: 'float32', dims: [count, PIXELS], data }]])
}

async function answer(graph: Graph): Promise<Float32Array> {
  const outputs = await run(encodeModel(graph), images(0, 1), ['y'])
  return outputs.get('y')?.data as Float32Array
}

const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length
const deviation = (values: Float32Array) =>
  Math.hypot(...values.map((v) => v - mean(values))) / Math.sqrt(values.length)

/** Of an image of 2s: what the model gives of it without its noise, and how far its noise scatters it. */
const MODELS: readonly (readonly [string, readonly Node[], still: number, scatter: number])[] = [
  [
    'normal noise that is added',
    [makeNode('RandomNormalLike', ['x'], ['noise'], { scale: { float: 0.5 } }), makeNode('Add', ['x', 'noise'], ['y'])],
    2,
    0.5,
  ],
  [
    'normal noise that is multiplied by, about 3',
    [
      makeNode('RandomNormalLike', ['x'], ['noise'], { mean: { float: 3 }, scale: { float: 0.5 }, dtype: 1 }),
      makeNode('Mul', ['x', 'noise'], ['y']),
    ],
    6,
    1,
  ],
  [
    // Uniform in [1, 3]: √(2² / 12).
    'uniform noise',
    [
      makeNode('RandomUniformLike', ['x'], ['noise'], { low: { float: 1 }, high: { float: 3 } }),
      makeNode('Add', ['x', 'noise'], ['y']),
    ],
    4,
    1 / Math.sqrt(3),
  ],
  // 2 / 0.75 with probability 0.75, else 0: √(0.75 · 0.25) · 8/3.
  ['Dropout that trains', [makeNode('Dropout', ['x', 'ratio', 'training'], ['y'])], 2, (Math.sqrt(0.1875) * 8) / 3],
  // 0 with the probability that it is given, as the standard's function and onnxruntime have it: 2 with ⅘, else 0.
  [
    'Bernoulli’s numbers',
    [makeNode('Bernoulli', ['fifths'], ['kept']), makeNode('Mul', ['x', 'kept'], ['y'])],
    1.6,
    2 * Math.sqrt(0.16),
  ],
]

/**
 * Of 2000 draws the mean scatters by a 45th of the deviation, and the deviation by a 63rd or less: six of those are a
 * chance of one in a hundred million.
 */
const margin = (scatter: number) => (6 * scatter) / Math.sqrt(PIXELS)

describe.each(MODELS)('%s', (_, nodes, still, scatter) => {
  const graph = model(...nodes)
  const canonical = canonicalise(graph)

  test('is known for what it is', () => {
    expect(chanceOperators(canonical)).toEqual([nodes[0].op])
  })

  test('it scatters so, and about that, where onnxruntime runs it', async () => {
    const values = await answer(graph)
    expect(Math.abs(mean(values) - still)).toBeLessThan(margin(scatter))
    expect(Math.abs(deviation(values) - scatter)).toBeLessThan(margin(scatter))
  })

  test('the original is quiet, in its own opset, and so is the canonical one: both say the same', async () => {
    const quiet = decodeModel(encodeModel(withoutChance(graph)))
    for (const value of [...(await answer(quiet)), ...(await answer(stillness(canonical).graph))])
      expect(value).toBeCloseTo(still, 5)
  })

  test('settled in stillness it runs any number of images; noise comes back, another one in every run', async () => {
    const { graph: calm, restore } = stillness(canonical)
    const settled = await settle(calm, undefined, images, run)
    expect(settled.batch).toBe('free')
    const { graph: noisy, draws } = restore(settled.graph)
    expect(draws).toBe(true)
    // In one session: a new one begins with the same draws again.
    const open = modelRunner()
    const bytes = encodeModel(noisy)
    const outputs = [await open(bytes, images(0, 1)), await open(bytes, images(0, 2))]
    await open.close()
    const [alone, both] = outputs.map((values) => values.get('y')?.data as Float32Array)
    expect(both).toHaveLength(2 * PIXELS)
    for (const values of [alone, both.subarray(0, PIXELS)]) {
      expect(Math.abs(mean(values) - still)).toBeLessThan(margin(scatter))
      expect(Math.abs(deviation(values) - scatter)).toBeLessThan(margin(scatter))
    }
    expect(both.subarray(0, PIXELS)).not.toEqual(alone)
  })
})

/** Else every image is run alone, at many times the cost. */
test('Bernoulli’s numbers, of odds that the images give, leave their number free', async () => {
  const nodes = [
    makeNode('Div', ['x', 'ten'], ['odds']),
    makeNode('Bernoulli', ['odds'], ['kept']),
    makeNode('Mul', ['x', 'kept'], ['y']),
  ]
  const drawing = { ...model(...nodes), constants: new Map([['ten', scalar(10)]]) }
  expect((await settle(stillness(canonicalise(drawing)).graph, undefined, images, run)).batch).toBe('free')
})

/** A kind of which nobody knows what is likeliest has no gradient, and the model passes for one whose batch depends on itself. */
test('Multinomial is still at what is likeliest, and drawn as often as its odds say', async () => {
  // 10 to 1 for the second class against each of ten others. Of two classes noise that leans the wrong way draws alike.
  const data = Float32Array.from({ length: 11 }, (_, at) => (at === 1 ? Math.log(10) : 0))
  const odds = { type: 'float32', dims: [1, 11], data } as const
  const second = { type: 'int32', dims: [], data: Int32Array.of(1) } as const
  const classes = makeNode('Multinomial', ['odds'], ['classes'], { sample_size: PIXELS })
  const nodes = [
    classes,
    makeNode('Equal', ['classes', 'second'], ['hits']),
    makeNode('Cast', ['hits'], ['factors'], { to: 1 }),
    makeNode('Mul', ['x', 'factors'], ['y']),
  ]
  const drawing = { ...model(...nodes), constants: new Map(Object.entries({ odds, second })) }
  const canonical = canonicalise(drawing)
  const { graph: calm, restore } = stillness(canonical)
  for (const quiet of [withoutChance(drawing), calm])
    expect(await answer(quiet)).toEqual(new Float32Array(PIXELS).fill(2))
  // 2 with probability ½, else 0.
  for (const noisy of [drawing, restore(calm).graph]) {
    const values = await answer(noisy)
    expect(new Set(values)).toEqual(new Set([0, 2]))
    expect(Math.abs(mean(values) - 1)).toBeLessThan(margin(1))
  }
})

test('a model that draws nothing stays the very same', () => {
  const graph = canonicalise(model(makeNode('Relu', ['x'], ['y'])))
  const { graph: same, operators, restore } = stillness(graph)
  expect(operators).toEqual([])
  expect(restore(same)).toEqual({ graph, draws: false })
})

/** As exporters write it: a constant, or what a few of them make, also in the branch that an If takes. */
const AT_REST: readonly (readonly [string, readonly Node[]])[] = [
  ['told not to train', [makeNode('Dropout', ['x', 'ratio', 'inference'], ['y', 'mask'])]],
  [
    'told so by a constant that is cast',
    [
      makeNode('Cast', ['zero'], ['trains'], { to: 9 }),
      makeNode('Identity', ['trains'], ['same']),
      makeNode('Dropout', ['x', 'ratio', 'same'], ['y']),
    ],
  ],
  [
    'told so by what is not training',
    [makeNode('Not', ['training'], ['trains']), makeNode('Dropout', ['x', 'ratio', 'trains'], ['y'])],
  ],
  ['that trains and drops none', [makeNode('Dropout', ['x', 'zero', 'training'], ['y'])]],
  [
    'that trains and drops none, as its mask says',
    [
      makeNode('Dropout', ['x', 'zero', 'training'], ['all', 'mask']),
      makeNode('Cast', ['mask'], ['ones'], { to: 1 }),
      makeNode('Mul', ['all', 'ones'], ['y']),
    ],
  ],
  [
    'in a branch',
    [
      makeNode('If', ['inference'], ['y'], {
        then_branch: branch(makeNode('Neg', ['x'], ['then']), 'then'),
        else_branch: branch(makeNode('Dropout', ['x', 'ratio', 'inside'], ['else']), 'else', {
          type: 'bool',
          dims: [],
          data: Uint8Array.of(0),
        }),
      }),
    ],
  ],
]

test.each(AT_REST)('Dropout %s draws nothing, and passes its gradient on', async (_, nodes) => {
  const graph = canonicalise(decodeModel(encodeModel(model(...nodes))))
  expect(chanceOperators(graph)).toEqual([])
  const gradient = await gradientModelOf({ name: 'still', bytes: encodeModel(classifier(nodes)), external: {} }, run)
  const label: Tensor = { type: 'int64', dims: [1], data: BigInt64Array.of(0n) }
  const slopes = (await run(gradient, new Map([...images(0, 1), ['label', label]]))).get('gradient')?.data
  // Cross-entropy of [0, Σx]: its slope is softmax(z)₁ · 1, and Σx = 4000 makes that 1.
  expect(slopes).toEqual(new Float32Array(PIXELS).fill(1))
})

const truth = (value: number): Tensor => ({ type: 'bool', dims: [], data: Uint8Array.of(value) })

/** Two branches that call what they tell their Dropout by the same name, and the If that reads a constant. */
const siblings = (thenTrains: number, elseTrains: number): Node =>
  makeNode('If', ['inference'], ['y'], {
    then_branch: branch(makeNode('Dropout', ['x', 'ratio', 'inside'], ['then']), 'then', truth(thenTrains)),
    else_branch: branch(makeNode('Dropout', ['x', 'ratio', 'inside'], ['else']), 'else', truth(elseTrains)),
  })

/** Who takes such a model for quiet reads luck as robustness. */
describe('what a Dropout is told is looked up where it stands', () => {
  const drawing = (...nodes: readonly Node[]) =>
    chanceOperators(canonicalise(decodeModel(encodeModel(model(...nodes)))))

  test.each([
    [0, 0, []],
    [0, 1, ['Dropout']],
    [1, 0, ['Dropout']],
  ])('in each of two branches: %d and %d', (thenTrains, elseTrains, operators) => {
    expect(drawing(siblings(thenTrains, elseTrains))).toEqual(operators)
  })

  test.each([
    [0, []],
    [1, ['Dropout']],
  ])('by an initializer of its body, whatever the same name is elsewhere: %d', (value, operators) => {
    const told = makeNode('Dropout', ['x', 'ratio', 'inside'], ['then'])
    const inside = writeTensor(truth(value), 'inside')
    const then = changed(GraphProtoSchema, branch(told, 'then'), { initializer: [inside] })
    const other = branch(makeNode('Neg', ['x'], ['else']), 'else', truth(1 - value))
    expect(drawing(makeNode('If', ['inference'], ['y'], { then_branch: then, else_branch: other }))).toEqual(operators)
  })

  test('by a constant in any of its forms', () => {
    const inside = [
      makeNode('Constant', [], ['number'], { value_int: 0 }),
      makeNode('Cast', ['number'], ['told'], { to: 9 }),
      makeNode('Dropout', ['x', 'ratio', 'told'], ['then']),
    ]
    const then = create(GraphProtoSchema, { name: 'then', node: inside.map(writeNode), output: [{ name: 'then' }] })
    const other = branch(makeNode('Neg', ['x'], ['else']), 'else')
    expect(drawing(makeNode('If', ['training'], ['y'], { then_branch: then, else_branch: other }))).toEqual([])
  })

  test('not by what is called like an input of the body', () => {
    const told = makeNode('Dropout', ['carried', 'ratio', 'inference'], ['next'])
    const kept = makeNode('Identity', ['going'], ['still'])
    const body = create(GraphProtoSchema, {
      name: 'body',
      node: [told, kept].map(writeNode),
      input: ['step', 'going', 'carried', 'inference'].map((name) => ({ name })),
      output: ['still', 'next', 'inference'].map((name) => ({ name })),
    })
    const loop = makeNode('Loop', ['', 'inference', 'x', 'training'], ['y', 'rest'], { body })
    expect(drawing(loop)).toEqual(['Dropout'])
  })

  test('and where two nodes make it, it draws', () => {
    const nodes = [
      makeNode('Cast', ['zero'], ['told'], { to: 9 }),
      makeNode('Cast', ['ratio'], ['told'], { to: 9 }),
      makeNode('Dropout', ['x', 'ratio', 'told'], ['y']),
    ]
    expect(chanceOperators(canonicalise(model(...nodes)))).toEqual(['Dropout'])
  })

  test('of a constant that may be cast to nothing it is not known what it is not', () => {
    const nodes = [
      makeNode('Cast', ['ratio'], ['whole'], { to: 7 }),
      makeNode('Cast', ['whole'], ['none'], { to: 9 }),
      makeNode('Not', ['none'], ['told']),
      makeNode('Dropout', ['x', 'ratio', 'told'], ['y']),
    ]
    expect(drawing(...nodes)).toEqual(['Dropout'])
  })

  /** A file that ends the process, or keeps it busy for hours, stops the gate of whoever opens a pull request. */
  test('not behind any number of nodes: a chain of 20,000 in front of 400 Dropouts ends as unknown', () => {
    const casts = Array.from({ length: 20_000 }, (_, at) =>
      makeNode('Cast', [at === 0 ? 'zero' : `cast${at - 1}`], [`cast${at}`], { to: 9 }),
    )
    const dropouts = Array.from({ length: 400 }, (_, at) =>
      makeNode('Dropout', [at === 0 ? 'x' : `d${at - 1}`, 'ratio', 'cast19999'], [at === 399 ? 'y' : `d${at}`]),
    )
    expect(chanceOperators(canonicalise(model(...casts, ...dropouts)))).toEqual(['Dropout'])
  })
})

function branch(node: Node, output: string, inside?: Tensor): GraphProto {
  const value = inside && makeNode('Constant', [], ['inside'], { value: inside })
  const nodes = [...(value ? [value] : []), node]
  return create(GraphProtoSchema, { name: output, node: nodes.map(writeNode), output: [{ name: output }] })
}

/** The model in front of two classes: 0 and the sum of what it gives. */
function classifier(nodes: readonly Node[]): Graph {
  const data = Float32Array.from({ length: 2 * PIXELS }, (_, at) => at % 2)
  return {
    ...model(...nodes, makeNode('MatMul', ['y', 'w'], ['z'])),
    outputs: [{ name: 'z', type: 'float32', dims: ['n', 2] }],
    constants: new Map([...CONSTANTS, ['w', { type: 'float32', dims: [PIXELS, 2], data }]]),
  }
}
