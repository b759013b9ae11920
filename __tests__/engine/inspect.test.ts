import { create } from '@bufbuild/protobuf'
import { describe, expect, test } from '@jest/globals'
import { FunctionProtoSchema } from 'onnx-buf'
import { inspect } from '../../src/engine/inspect.js'
import { loadModel } from '../../src/engine/load.js'
import type { ModelBytes } from '../../src/engine/messages.js'
import { makeNode } from '../../src/onnx/attributes.js'
import { decodeModel, encodeModel, writeNode } from '../../src/onnx/codec.js'
import type { Node, Tensor } from '../../src/onnx/graph.js'
import { model, plain } from './support/fixtures.js'

const floats = (dims: readonly number[]): Tensor => {
  const size = dims.reduce((product, length) => product * length, 1)
  return { type: 'float32', dims, data: Float32Array.from({ length: size }, (_, at) => Math.sin(at + 1)) }
}
const whole = (...values: readonly number[]): Tensor => ({
  type: 'int64',
  dims: [values.length],
  data: BigInt64Array.from(values, BigInt),
})

const made = (
  shape: readonly (number | string)[],
  nodes: readonly Node[],
  constants: Readonly<Record<string, Tensor>> = {},
): ModelBytes => ({
  name: 'made.onnx',
  bytes: encodeModel({
    name: 'made',
    opsets: new Map([['', 17]]),
    irVersion: 8,
    inputs: [{ name: 'x', type: 'float32', dims: ['n', ...shape] }],
    outputs: [{ name: 'y', type: 'float32', dims: ['n', 3] }],
    nodes,
    constants: new Map(Object.entries(constants)),
  }),
  external: {},
})

const evaluated = (of: ModelBytes, shape: readonly number[]) =>
  loadModel({
    type: 'load',
    model: of,
    shape,
    layout: shape.length === 3 ? 'nchw' : 'flat',
    range: [0, 1],
    preprocessing: plain,
    threats: [],
    attacks: [{ name: 'fgsm', id: 'fgsm', loss: 'cross-entropy', survivorsOnly: false }],
    seed: 0,
    quantised: false,
    batch: 16,
    witnesses: false,
  })

const dense = { w: floats([4, 3]) }
const product = (from: string): Node => makeNode('MatMul', [from, 'w'], ['y'])

/** Whoever asks before the evaluation must not be told another story than the evaluation tells an hour later. */
describe('inspect gives the evaluation’s answer', () => {
  const cases: readonly (readonly [string, ModelBytes, readonly number[], RegExp | undefined])[] = [
    [
      'a recurrence that is too long',
      made(
        [1500, 1],
        [
          makeNode('Transpose', ['x'], ['steps'], { perm: [1, 0, 2] }),
          makeNode('RNN', ['steps', 'wi', 'wr'], ['', 'last'], { hidden_size: 3 }, 'long'),
          makeNode('Squeeze', ['last', 'axis'], ['y']),
        ],
        { wi: floats([1, 3, 1]), wr: floats([1, 3, 3]), axis: whole(0) },
      ),
      [1500, 1],
      /RNN \(node "long"\) takes 1500 steps .*1024 steps and 100000 nodes/,
    ],
    [
      'comparisons on every way',
      made(
        [4],
        [makeNode('Greater', ['x', 'half'], ['on']), makeNode('Cast', ['on'], ['bits'], { to: 1 }), product('bits')],
        { ...dense, half: { type: 'float32', dims: [], data: Float32Array.of(0.5) } },
      ),
      [4],
      /no gradient reaches the input/,
    ],
    [
      'a cast that cuts off',
      made(
        [4],
        [makeNode('Cast', ['x'], ['i'], { to: 6 }), makeNode('Cast', ['i'], ['f'], { to: 1 }), product('f')],
        dense,
      ),
      [4],
      undefined,
    ],
    ['nothing', model('fashion/fashion-hardened.onnx'), [1, 28, 28], undefined],
    ['rounding', model('models/int8-qdq.onnx'), [1, 28, 28], undefined],
  ]
  test.each(cases)('%s', async (_, of, shape, problem) => {
    const { attackable, problems, flags } = await inspect(of)
    const loaded = await evaluated(of, shape)
    expect(flags).toEqual(loaded.flags)
    expect(attackable).toBe(loaded.plan.gradient ? 'yes' : 'without-gradients')
    expect(problems).toEqual(problem === undefined ? [] : [expect.stringMatching(problem)])
    if (problem !== undefined) expect(flags?.[0].message).toContain(problems[0])
  })

  test('what onnxruntime does not run is not attackable, whatever its names say', async () => {
    const of = made([4], [makeNode('MatMul', ['x', 'w'], ['y'], {}, 'odd')], { w: floats([5, 3]) })
    const { attackable, problems } = await inspect(of)
    expect(attackable).toBe('no')
    expect(problems).toHaveLength(1)
    const failed = await evaluated(of, [4]).catch((error: unknown) => String(error))
    expect(failed).toContain('odd')
    expect(problems[0]).toContain('odd')
  })

  test('a function that can only be read in an opset of its own, which onnxruntime does not, is named with both', async () => {
    const clip = create(FunctionProtoSchema, {
      name: 'Limit',
      domain: 'local',
      input: ['a'],
      output: ['b'],
      opsetImport: [{ domain: '', version: 10n }],
      node: [writeNode(makeNode('Clip', ['a'], ['b'], { min: { float: 0.25 } }))],
    })
    const nodes = [makeNode('Limit', ['x'], ['h'], {}, '', 'local'), makeNode('MatMul', ['h', 'w'], ['y'])]
    const plain = made([4], nodes, { w: floats([4, 3]) })
    const graph = decodeModel(plain.bytes, plain)
    const opsets = new Map([...graph.opsets, ['local', 1]])
    const of = { ...plain, bytes: encodeModel({ ...graph, opsets, functions: [clip] }) }
    const { attackable, problems } = await inspect(of)
    expect(attackable).toBe('no')
    expect(problems).toEqual([
      expect.stringMatching(
        /^onnxruntime does not open it \(.*Clip.*\); its function "Limit" is written for opset 10, .* the model's, 17; export /,
      ),
    ])
  })

  test('that a model ends with whole numbers of no known size is told, with what to do', async () => {
    const nodes = [
      makeNode('DynamicQuantizeLinear', ['x'], ['q', 's', 'z']),
      makeNode('MatMulInteger', ['q', 'w', 'z'], ['sums']),
      makeNode('Cast', ['sums'], ['y'], { to: 1 }),
    ]
    const w: Tensor = { type: 'int8', dims: [4, 3], data: Int8Array.from({ length: 12 }, (_, at) => 9 * at - 50) }
    const { attackable, flags } = await inspect(made([4], nodes, { w }))
    expect(attackable).toBe('yes')
    const [unknown] = flags?.filter(({ code }) => code === 'unknown-steps') ?? []
    expect(unknown?.message).toMatch(/ends with whole numbers .*: export the model with a DequantizeLinear at its end/)
  })

  /** Once a fraction is cut off and once a truth value becomes a number, which is no step of this kind. */
  const cut = [makeNode('Cast', ['x'], ['i'], { to: 6 }), makeNode('Cast', ['i'], ['f'], { to: 1 })]
  const bits = [
    makeNode('Greater', ['x', 'half'], ['on']),
    makeNode('Cast', ['on'], ['whole'], { to: 7 }),
    makeNode('Cast', ['whole'], ['bits'], { to: 1 }),
    makeNode('Add', ['x', 'bits'], ['f']),
  ]
  test.each([
    ['a fraction is cut off, image of 4', [4], cut, 'straight-through'],
    ['a fraction is cut off, images of any size', ['size'], cut, 'straight-through'],
    ['truth values become numbers, image of 4', [4], bits, 'rule'],
    ['truth values become numbers, images of any size', ['size'], bits, 'rule'],
  ] as const)('what a Cast passes on is named: %s', async (_, shape, nodes, gradient) => {
    const half = { type: 'float32', dims: [], data: Float32Array.of(0.5) } as const
    const { operators, flags } = await inspect(made(shape, [...nodes, product('f')], { ...dense, half }))
    expect(operators.find(({ operator }) => operator === 'Cast')).toMatchObject({ count: 2, gradient })
    // The evaluation's own word, where there is one: it ran the model.
    const told = flags?.some(({ code, message }) => code === 'straight-through' && message.includes('Cast'))
    expect(told).toBe(shape[0] === 4 ? gradient === 'straight-through' : undefined)
  })

  test('a sign that PyTorch’s exporter multiplies by its own size is no step', async () => {
    const nodes = [
      makeNode('Sign', ['x'], ['sign']),
      makeNode('Abs', ['x'], ['positive']),
      makeNode('Relu', ['positive'], ['size']),
      makeNode('Mul', ['sign', 'size'], ['same']),
    ]
    const { operators, flags } = await inspect(made([4], [...nodes, product('same')], dense))
    expect(operators.map(({ operator }) => operator)).toEqual(['MatMul'])
    expect(flags).toEqual([])
  })

  test('where the sizes of an image are free, the names are told, and that they are all', async () => {
    const of = made(['height', 'width'], [makeNode('Relu', ['x'], ['y'])])
    expect(await inspect(of)).toMatchObject({ attackable: 'yes', problems: [] })
    expect((await inspect(of)).flags).toBeUndefined()
  })
})
