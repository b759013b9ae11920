import { makeNode } from '../../../src/onnx/attributes.js'
import type { AttributeValues } from '../../../src/onnx/attributes.js'
import type { Node, Tensor } from '../../../src/onnx/graph.js'
import { composed, floating, integers, numbersOf, reals } from '../support.js'
import type { Case, Doubled } from '../support.js'

const GATES = { RNN: 1, GRU: 3, LSTM: 4 }
const HIDDEN = 3
const FEATURES = 2

interface Options {
  readonly steps?: number
  readonly direction?: 'forward' | 'reverse' | 'bidirectional'
  readonly attributes?: AttributeValues
  /** Which optional inputs it has. */
  readonly bias?: boolean
  readonly state?: boolean
  readonly peepholes?: boolean
  readonly lengths?: Tensor
  readonly batch?: number
}

/** Images of T rows, [N, T, I], through a recurrent operator; y holds all of its outputs, [N, …] side by side. */
function recurrent(op: keyof typeof GATES, label: string, options: Options = {}): Doubled {
  const { steps = 4, direction = 'forward', attributes, bias = true, state, peepholes, lengths, batch } = options
  const directions = direction === 'bidirectional' ? 2 : 1
  const rows = GATES[op] * HIDDEN
  const weights = (dims: readonly number[], seed: number): Tensor => reals('float32', dims, seed, -0.8, 0.8)
  const optional = {
    bias: bias ? weights([directions, 2 * rows], 5) : undefined,
    lengths,
    h: state ? weights([directions, batch ?? 1, HIDDEN], 6) : undefined,
    c: state && op === 'LSTM' ? weights([directions, batch ?? 1, HIDDEN], 7) : undefined,
    peepholes: peepholes ? weights([directions, 3 * HIDDEN], 8) : undefined,
  }
  const present = Object.entries(optional).flatMap(([name, value]): [string, Tensor][] =>
    value ? [[name, value]] : [],
  )
  // The states of a constant have one row: repeated for the batch at run time, as exports with a free batch do.
  const spread = batch === undefined ? ['h', 'c'].filter((name) => optional[name as 'h' | 'c']) : []
  const outputs = op === 'LSTM' ? ['Y', 'Yh', 'Yc'] : ['Y', 'Yh']
  const input = (name: keyof typeof optional): string =>
    optional[name] ? (spread.includes(name) ? `all_${name}` : name) : ''
  const inputs = ['t', 'w', 'r', input('bias'), input('lengths'), input('h'), input('c'), input('peepholes')]
  const tested: Case = composed(
    `${op}, ${label}`,
    [steps, FEATURES],
    [
      makeNode('Transpose', ['x'], ['t'], { perm: [1, 0, 2] }),
      makeNode('Shape', ['x'], ['rows'], { start: 0, end: 1 }),
      makeNode('Concat', ['directions', 'rows', 'hidden'], ['size'], { axis: 0 }),
      ...spread.map((name) => makeNode('Expand', [name, 'size'], [`all_${name}`])),
      makeNode(op, inputs, outputs, { hidden_size: HIDDEN, direction, ...attributes }, 'tested'),
      ...outputs.flatMap((name) => [
        makeNode('Transpose', [name], [`${name}_turned`], { perm: name === 'Y' ? [2, 0, 1, 3] : [1, 0, 2] }),
        makeNode('Flatten', [`${name}_turned`], [`${name}_flat`], { axis: 1 }),
      ]),
      makeNode(
        'Concat',
        outputs.map((name) => `${name}_flat`),
        ['y'],
        { axis: 1 },
      ),
    ],
    {
      w: weights([directions, rows, FEATURES], 3),
      r: weights([directions, rows, HIDDEN], 4),
      directions: integers([directions]),
      hidden: integers([HIDDEN]),
      ...Object.fromEntries(present),
    },
  )
  return { tested: { ...tested, batch } }
}

interface Formula {
  /** Adds a node and returns its output; the name of a number stands for it. */
  readonly add: (op: string, ...inputs: readonly string[]) => string
  readonly x: string
  /** max(x, 0) and max(−x, 0) */
  readonly half: string
  readonly other: string
}

/** An activation without a kernel in double, in an RNN of two steps; the twin is written out by hand. */
function activated(
  name: string,
  { alpha, beta }: { readonly alpha?: number; readonly beta?: number },
  formula: (of: Formula) => string,
): Doubled {
  const attributes = {
    activations: [name],
    activation_alpha: alpha === undefined ? undefined : { floats: [alpha] },
    activation_beta: beta === undefined ? undefined : { floats: [beta] },
  }
  const { tested } = recurrent('RNN', `${name}${alpha === undefined ? '' : `, ${alpha}`}`, { steps: 2, attributes })
  const nodes: Node[] = []
  const add: Formula['add'] = (op, ...inputs) => {
    const output = `value_${nodes.length}`
    nodes.push(makeNode(op, inputs, [output]))
    return output
  }
  const activate = (x: string): string => formula({ add, x, half: add('Relu', x), other: add('Relu', add('Neg', x)) })
  const sum = (step: string): string => add('Add', add('MatMul', step, 'w'), 'bias')
  const first = activate(sum('x0'))
  const second = activate(add('Add', sum('x1'), add('MatMul', first, 'r')))
  const twin = composed(
    tested.name,
    tested.shape,
    [
      makeNode('Gather', ['x', 'zeroth'], ['x0'], { axis: 1 }),
      makeNode('Gather', ['x', 'oneth'], ['x1'], { axis: 1 }),
      ...nodes,
      makeNode('Concat', [first, second, second], ['y'], { axis: 1 }),
    ],
    {
      w: transposed(tested.constants.w, FEATURES),
      r: transposed(tested.constants.r, HIDDEN),
      bias: bothBiases(tested.constants.bias),
      zeroth: integers([0], []),
      oneth: integers([1], []),
      ...Object.fromEntries(
        [0, 1, 0.01, alpha, beta].flatMap((value) =>
          value === undefined ? [] : [[String(value), floating('float64', [], [value])]],
        ),
      ),
    },
    'float64',
  )
  return { tested, twin }
}

/** [1, HIDDEN, columns] → [columns, HIDDEN] */
function transposed(weights: Tensor, columns: number): Tensor {
  const values = numbersOf(weights)
  const turned = Array.from({ length: columns }, (_, column) =>
    Array.from({ length: HIDDEN }, (__, row) => values[row * columns + column]),
  )
  return floating('float64', [columns, HIDDEN], turned.flat())
}

function bothBiases(bias: Tensor): Tensor {
  const values = numbersOf(bias)
  return floating(
    'float64',
    [HIDDEN],
    values.slice(0, HIDDEN).map((value, at) => value + values[HIDDEN + at]),
  )
}

const counts = (...values: readonly number[]): Tensor => ({
  type: 'int32',
  dims: [values.length],
  data: Int32Array.from(values),
})
const everything: Options = { direction: 'bidirectional', state: true, lengths: counts(2, 4, 1), batch: 3 }

export const DOUBLED: readonly Doubled[] = [
  recurrent('LSTM', 'forward, without biases', { bias: false }),
  recurrent('LSTM', 'one step', { steps: 1 }),
  recurrent('LSTM', 'reverse, initial states', { direction: 'reverse', state: true }),
  recurrent('LSTM', 'both ways, initial states', { direction: 'bidirectional', state: true }),
  recurrent('LSTM', 'peepholes', { peepholes: true, state: true }),
  recurrent('LSTM', 'input and forget gate coupled', { attributes: { input_forget: 1 } }),
  recurrent('LSTM', 'clipped', { attributes: { clip: { float: 0.4 } } }),
  // onnxruntime clips what its gates read, and its memory nowhere.
  recurrent('LSTM', 'clipped, with a memory beyond', {
    attributes: { clip: { float: 0.2 } },
    state: true,
    peepholes: true,
  }),
  recurrent('LSTM', 'lengths, both ways, peepholes, batch fixed at 3', { ...everything, peepholes: true }),
  recurrent('LSTM', 'lengths that are all of it, batch fixed at 2', { lengths: counts(4, 4), batch: 2 }),
  recurrent('LSTM', 'other activations both ways', {
    direction: 'bidirectional',
    attributes: {
      activations: ['Sigmoid', 'ScaledTanh', 'Affine', 'Affine', 'Relu', 'ScaledTanh'],
      activation_alpha: { floats: [0.3, 0.5, 1.5, 0.2] },
      activation_beta: { floats: [0.4, 0.1, 0.7, 0.9] },
    },
  }),

  recurrent('GRU', 'forward'),
  recurrent('GRU', 'linear before reset, both ways, initial states', {
    direction: 'bidirectional',
    state: true,
    attributes: { linear_before_reset: 1 },
  }),
  recurrent('GRU', 'linear before reset, without biases', { bias: false, attributes: { linear_before_reset: 1 } }),
  recurrent('GRU', 'reverse, initial states', { direction: 'reverse', state: true }),
  recurrent('GRU', 'clipped', { attributes: { clip: { float: 0.4 } } }),
  recurrent('GRU', 'lengths, both ways, batch fixed at 3', everything),
  recurrent('GRU', 'other activations, names in lower case', {
    attributes: {
      activations: ['affine', 'scaledtanh'],
      activation_alpha: { floats: [0.3, 1.5] },
      activation_beta: { floats: [0.4, 0.7] },
    },
  }),

  recurrent('RNN', 'forward'),
  recurrent('RNN', 'both ways, initial states', { direction: 'bidirectional', state: true }),
  recurrent('RNN', 'reverse, without biases', { direction: 'reverse', bias: false }),
  recurrent('RNN', 'clipped', { attributes: { clip: { float: 0.4 } } }),
  recurrent('RNN', 'lengths, both ways, batch fixed at 3', everything),
  recurrent('RNN', 'Relu', { attributes: { activations: ['Relu'] } }),
  activated('LeakyRelu', {}, ({ add, half, other }) => add('Sub', half, add('Mul', '0.01', other))),
  activated('LeakyRelu', { alpha: 0.3 }, ({ add, half, other }) => add('Sub', half, add('Mul', '0.3', other))),
  activated('Elu', { alpha: 0.3 }, ({ add, half, other }) =>
    add('Add', half, add('Mul', '0.3', add('Sub', add('Exp', add('Neg', other)), '1'))),
  ),
  activated('HardSigmoid', { alpha: 0.3, beta: 0.4 }, ({ add, x }) =>
    add('Clip', add('Add', add('Mul', x, '0.3'), '0.4'), '0', '1'),
  ),
  activated('ThresholdedRelu', { alpha: 0.3 }, ({ add, x }) => add('Where', add('Greater', x, '0.3'), x, '0')),
  activated('Softsign', {}, ({ add, x, half, other }) => add('Div', x, add('Add', '1', add('Add', half, other)))),
  activated('Softplus', {}, ({ add, x }) => add('Log', add('Add', '1', add('Exp', x)))),
]
