import { makeNode } from '../../../src/onnx/attributes.js'
import type { AttributeValues } from '../../../src/onnx/attributes.js'
import type { ElementType, Tensor } from '../../../src/onnx/graph.js'
import { composed, count, floating, generator, reals, smallIntegers } from '../support.js'
import type { Case } from '../support.js'
import { between, scale, whole, wholes, zero } from './quantised.js'
import { dynamicSteps, onSteps } from './quantisedCurves.js'
import type { Quantised } from './quantisedCurves.js'

const nibbles = (type: ElementType, dims: readonly number[], values: readonly number[]): Tensor => ({
  type,
  dims,
  data: type === 'int4' ? Int8Array.from(values) : Uint8Array.from(values),
})

/** Numbers of `bits` bits, as bytes; a byte holds several. */
function packed(dims: readonly number[], seed: number): Tensor {
  const random = generator(seed)
  return whole(
    'uint8',
    dims,
    Array.from({ length: count(dims) }, () => Math.floor(random() * 256)),
  )
}

/** Ten features to three, in blocks of 16 (onnxruntime's least): the last is not full. */
function blocks(label: string, attributes: AttributeValues, constants: Readonly<Record<string, Tensor>>): Case {
  const order = ['w', 's', 'z', '', 'c']
  const inputs = order.map((name) => (name in constants ? name : ''))
  const node = makeNode(
    'MatMulNBits',
    ['x', ...inputs],
    ['y'],
    { K: 20, N: 3, bits: 4, block_size: 16, ...attributes },
    'tested',
    'com.microsoft',
  )
  return composed(`com.microsoft.MatMulNBits, ${label}`, [2, 20], [node], constants)
}

const fine = floating('float32', [6], [0.5, 1, 0.25, 2, 1, 0.5])

/** Small whole numbers and scales that are powers of two: linear to the last bit. */
export const LINEAR: readonly Case[] = [
  {
    ...composed(
      'QuantizeLinear and DequantizeLinear, int4, without its ends',
      [2, 3],
      [makeNode('QuantizeLinear', ['x', 's', 'z'], ['q']), makeNode('DequantizeLinear', ['q', 's', 'z'], ['y'])],
      { s: scale(1), z: nibbles('int4', [], [2]) },
    ),
    opset: 21,
  },
  {
    ...composed(
      'QuantizeLinear and DequantizeLinear, uint4 by its output type',
      [2, 3],
      [
        makeNode('Add', ['x', 'up'], ['positive']),
        makeNode('QuantizeLinear', ['positive', 's'], ['q'], { output_dtype: 21 }),
        makeNode('DequantizeLinear', ['q', 's'], ['y']),
      ],
      { s: scale(1), up: scale(5) },
    ),
    opset: 24,
  },
  {
    ...composed(
      'DequantizeLinear, weights of four bits in blocks',
      [4],
      [
        makeNode('DequantizeLinear', ['w', 's', 'z'], ['real'], { axis: 0, block_size: 2 }),
        makeNode('MatMul', ['x', 'real'], ['y']),
      ],
      {
        w: nibbles('int4', [4, 3], [7, -8, 0, 1, 2, -3, 4, 5, -6, -7, 3, -1]),
        s: floating('float32', [2, 3], [0.5, 1, 2, 0.25, 4, 1]),
        z: nibbles('int4', [2, 3], [0, 1, -2, 3, -4, 5]),
      },
    ),
    opset: 21,
  },
  blocks('plain', {}, { w: packed([3, 2, 8], 3), s: fine }),
  blocks(
    'zero points in bytes, bias',
    {},
    {
      w: packed([3, 2, 8], 3),
      s: fine,
      z: packed([3, 1], 5),
      c: smallIntegers('float32', [3], 7),
    },
  ),
  blocks('real zero points', {}, { w: packed([3, 2, 8], 3), s: fine, z: smallIntegers('float32', [6], 8) }),
  blocks('2 bits', { bits: 2 }, { w: packed([3, 2, 4], 3), s: fine, z: packed([3, 1], 6) }),
  blocks('2 bits, no zero points', { bits: 2 }, { w: packed([3, 2, 4], 3), s: fine }),
  blocks('8 bits', { bits: 8 }, { w: packed([3, 2, 16], 3), s: fine, z: packed([3, 2], 6) }),
]

const projection = {
  w: wholes('int8', [4, 12], 6, 60),
  ws: scale(...Array.from({ length: 12 }, (_, at) => 2 ** -(5 + (at % 3)))),
  wz: zero('int8', ...Array.from({ length: 12 }, () => 0)),
  b: reals('float32', [12], 7),
}

/** The weights that whole numbers of projection stand for. */
const realProjection = floating(
  'float32',
  [4, 12],
  Array.from(projection.w.data as Int8Array, (value, at) => value * Number(projection.ws.data[at % 12])),
)

function attention(label: string, attributes: AttributeValues, mask?: Tensor, batch?: number): Quantised {
  const inputs = ['q', 'w', 'b', 'qs', 'ws', mask ? 'm' : '', 'qz', 'wz']
  const heads = { num_heads: 2, ...attributes }
  const m: Readonly<Record<string, Tensor>> = mask ? { m: mask } : {}
  const node = makeNode('Attention', ['x', 'w', 'b', mask ? 'm' : ''], ['y'], heads, '', 'com.microsoft')
  return {
    tested: between(`com.microsoft.QAttention, ${label}`, {
      shape: [3, 4],
      from: [scale(0.125), zero('uint8', 100)],
      to: 'real',
      inputs,
      constants: { ...projection, ...m },
      attributes: heads,
      batch,
    }),
    twin: { ...composed('Attention', [3, 4], [node], { w: realProjection, b: projection.b, ...m }), batch },
    points: onSteps(0.125, 8),
  }
}

const HIDDEN = 3

/** An LSTM over the rows of an image; y holds its last output. */
function lstm(label: string, steps: number, attributes: AttributeValues, batch = 1): Quantised {
  const directions = attributes.direction === 'bidirectional' ? 2 : 1
  const wide = 4 * HIDDEN
  const inputWeights = wholes('int8', [directions, 2, wide], 3, 90)
  const stateWeights = wholes('int8', [directions, HIDDEN, wide], 4, 90)
  const scales = directions === 1 ? [2 ** -7] : [2 ** -7, 2 ** -8]
  const one = floating('float32', [directions], scales)
  // Pixels go up to 128: gates that are wide open or shut have no slope.
  const fine = floating(
    'float32',
    [directions],
    scales.map((size) => size / 64),
  )
  const none = whole('int8', [directions], new Int8Array(directions))
  const bias = reals('float32', [directions, 2 * wide], 5)
  const real = ({ data }: Tensor, rows: number, step: Tensor): Tensor =>
    floating(
      'float32',
      [directions, wide, rows],
      Array.from({ length: directions * wide * rows }, (_, at) => {
        const [direction, column, row] = [Math.floor(at / (wide * rows)), Math.floor(at / rows) % wide, at % rows]
        return Number(data[(direction * rows + row) * wide + column]) * Number(step.data[direction])
      }),
    )
  const around = (nodes: Case['nodes'], constants: Case['constants'], name: string): Case => ({
    ...composed(
      name,
      [steps, 2],
      [
        makeNode('Transpose', ['x'], ['t'], { perm: [1, 0, 2] }),
        ...nodes,
        makeNode('Transpose', ['h'], ['y'], { perm: [1, 0, 2] }),
      ],
      constants,
    ),
    batch,
  })
  const size = { hidden_size: HIDDEN, ...attributes }
  return {
    tested: around(
      [
        makeNode(
          'DynamicQuantizeLSTM',
          ['t', 'w', 'r', 'c', '', '', '', '', 'ws', 'wz', 'rs', 'rz'],
          ['', 'h'],
          size,
          'tested',
          'com.microsoft',
        ),
      ],
      { w: inputWeights, r: stateWeights, c: bias, ws: fine, wz: none, rs: one, rz: none },
      `com.microsoft.DynamicQuantizeLSTM, ${label}`,
    ),
    twin: around(
      [makeNode('LSTM', ['t', 'w', 'r', 'c'], ['', 'h'], size)],
      { w: real(inputWeights, 2, fine), r: real(stateWeights, HIDDEN, one), c: bias },
      'LSTM',
    ),
    points: dynamicSteps,
  }
}

export const QUANTISED: readonly Quantised[] = [
  attention('plain', {}),
  attention('unidirectional, a scale', { unidirectional: 1, scale: { float: 0.4 } }),
  attention('lengths, batch fixed at 2', {}, whole('int32', [2], [2, 3]), 2),
  lstm('one step, of a state of zeros', 1, {}),
  lstm('one step, batch fixed at 3', 1, {}, 3),
  lstm('one step, both directions', 1, { direction: 'bidirectional' }),
  lstm('one step, gates that are coupled and clipped', 1, { input_forget: 1, clip: { float: 0.5 } }),
  lstm('one step, other activations', 1, {
    activations: ['HardSigmoid', 'LeakyRelu', 'Affine'],
    activation_alpha: { floats: [0.25, 0.125, 0.75] },
    activation_beta: { floats: [0.375, 0, 0.25] },
  }),
]

/** Its state is rounded on the way, which the real one's is not: checked against PyTorch's, in quantisedLstm.test.ts. */
export const FOUR_STEPS = lstm('four steps, both directions', 4, { direction: 'bidirectional' })
