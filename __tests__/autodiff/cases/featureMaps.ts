import { makeNode } from '../../../src/onnx/attributes.js'
import { composed, integers, reals, single, smallIntegers } from '../support.js'
import type { Case, Doubled, Floating, Pointwise } from '../support.js'

/*
 * Maps in float32 with as many channels as make a block are differentiated in other operators than anything else:
 * the same functions as elsewhere, once more in that shape.
 */
const map = [16, 3, 2]
const weights = (dims: readonly number[], seed = 3) => smallIntegers('float32', dims, seed)

function conv(
  label: string,
  shape: readonly number[],
  kernel: readonly number[],
  attributes: Parameters<typeof makeNode>[3],
): Case {
  return single('Conv', shape, { label: `maps, ${label}`, constants: { w: weights(kernel) }, attributes })
}

const square = (stride: number, pad: number) => ({ strides: [stride, stride], pads: [pad, pad, pad, pad] })

type Window = readonly [height: number, width: number, attributes: Parameters<typeof makeNode>[3]]

/** Two Convs of one map, whose gradients add up: where a stage of a residual network begins. */
function branches(label: string, ...[one, another]: readonly [Window, Window]): Case {
  const weighed = ([height, width]: Window, seed: number) => weights([16, 16, height, width], seed)
  return composed(
    `Conv, maps, ${label}`,
    [16, 4, 4],
    [
      makeNode('Conv', ['x', 'w'], ['a'], one[2]),
      makeNode('Conv', ['x', 'v'], ['b'], another[2]),
      makeNode('Flatten', ['a'], ['flat']),
      makeNode('Flatten', ['b'], ['beside']),
      makeNode('Concat', ['flat', 'beside'], ['y'], { axis: 1 }),
    ],
    { w: weighed(one, 3), v: weighed(another, 5) },
  )
}

export const LINEAR: readonly Case[] = [
  single('GlobalAveragePool', [16, 4, 2], { label: 'maps' }),
  conv('padded', [16, 6, 5], [3, 16, 3, 3], square(1, 1)),
  conv('pads differ on each side', [8, 6, 7], [3, 8, 3, 4], { pads: [0, 2, 1, 1] }),
  conv('dilated', [8, 9, 8], [3, 8, 3, 2], { dilations: [2, 3], pads: [1, 0, 2, 1] }),
  conv('two groups', [16, 5, 5], [6, 8, 3, 3], { group: 2, ...square(1, 1) }),
  conv('depthwise', [16, 5, 6], [16, 1, 3, 3], { group: 16, ...square(1, 1) }),
  conv('5×5 to one channel of an image', [1, 6, 5], [16, 1, 5, 5], square(1, 2)),
  conv('4×4/2', [16, 6, 4], [4, 16, 4, 4], square(2, 1)),
  conv('4×4/2 without padding', [16, 6, 6], [3, 16, 4, 4], square(2, 0)),
  conv('5×5/2', [16, 6, 8], [2, 16, 5, 5], square(2, 2)),
  conv('3×3/2', [16, 6, 4], [4, 16, 3, 3], square(2, 1)),
  conv('3×3/2, channels that fill no block', [8, 6, 4], [4, 8, 3, 3], square(2, 1)),
  conv('7×7/3', [16, 9, 6], [2, 16, 7, 7], square(3, 3)),
  conv('6×4, strides differ', [16, 9, 8], [2, 16, 6, 4], { strides: [3, 2], pads: [2, 1, 1, 1] }),
  conv('4×4/2, odd size', [16, 7, 6], [2, 16, 4, 4], square(2, 1)),
  branches('3×3/2 and 1×1/2', [3, 3, square(2, 1)], [1, 1, square(2, 0)]),
  branches('4×4/2 and 3×3/2', [4, 4, square(2, 1)], [3, 3, square(2, 1)]),
  branches('1×1/2 twice: most pixels get nothing', [1, 1, square(2, 0)], [1, 1, square(2, 0)]),
  branches(
    'as many pixels in phases of another form',
    [1, 5, { strides: [1, 4], pads: [0, 1, 0, 0] }],
    [3, 3, square(2, 1)],
  ),
  // So many pixels that their sum is made of their mean, and a power of two of them, so that it is exact all the same.
  single('Mul', [8, 1, 1], { label: 'maps, the gate of a large one', constants: { c: weights([8, 64, 32]) } }),
  single('Mul', [8, 1, 1], { label: 'maps, the gate of a small one', constants: { c: weights([8, 5, 3]) } }),
  // Two gradients made by ConvTranspose, and one that is not, add up.
  composed(
    'Conv, maps: a residual block that strides',
    [16, 4, 4],
    [
      makeNode('Conv', ['x', 'w'], ['a'], { strides: [2, 2], pads: [1, 1, 1, 1] }),
      makeNode('Conv', ['x', 'v'], ['b'], { strides: [2, 2] }),
      makeNode('GlobalAveragePool', ['x'], ['c']),
      makeNode('Sum', ['a', 'b', 'c'], ['y']),
    ],
    { w: weights([16, 16, 3, 3]), v: weights([16, 16, 1, 1], 5) },
  ),
]

const hardSigmoid = (x: number): number => Math.min(Math.max(x / 6 + 0.5, 0), 1)
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

/** f(2x), from −5.8 to 5.8: both kinks of the hard functions lie inside. */
function ofTwice(
  op: string,
  reference: (x: number) => number,
  attributes: Parameters<typeof makeNode>[3] = {},
  label = '',
): Pointwise {
  return {
    tested: composed(`${op} of 2x, maps${label}`, map, [
      makeNode('Add', ['x', 'x'], ['twice']),
      makeNode(op, ['twice'], ['y'], attributes),
    ]),
    reference: (x) => reference(2 * x),
  }
}

/** f of a map whose channels are those of all images, one behind the other: how many there are nobody knows. */
function ofJoinedImages(op: string, reference: (x: number) => number): Pointwise {
  return {
    tested: composed(
      `${op}, images joined along the channels`,
      map,
      [
        makeNode('Reshape', ['x', 'joined'], ['wide']),
        makeNode(op, ['wide'], ['made']),
        makeNode('Reshape', ['made', 'apart'], ['y']),
      ],
      { joined: integers([1, -1, 3, 2]), apart: integers([-1, 16, 3, 2]) },
    ),
    reference,
  }
}

export const POINTWISE: readonly Pointwise[] = [
  ofJoinedImages('HardSwish', (x) => x * hardSigmoid(x)),
  ofJoinedImages('Sigmoid', sigmoid),
  ofTwice('Relu', (x) => Math.max(x, 0)),
  ofTwice('LeakyRelu', (x) => (x > 0 ? x : 0.25 * x), { alpha: { float: 0.25 } }),
  ofTwice('LeakyRelu', (x) => (x > 0 ? x : -2 * x), { alpha: { float: -2 } }, ', slope −2'),
  ofTwice('HardSigmoid', hardSigmoid, { alpha: { float: 1 / 6 } }),
  ofTwice('HardSwish', (x) => x * hardSigmoid(x)),
  ofTwice('Sigmoid', sigmoid),
]

/** Squeeze-and-excite (Hu et al. 2018): a map times one number for each of its channels. */
function gated(type: Floating): Case {
  return composed(
    'Mul, maps and their gates',
    map,
    [
      makeNode('ReduceMean', ['x', 'pixels'], ['mean']),
      makeNode('Mul', ['mean', 'w'], ['inner']),
      makeNode('Sigmoid', ['inner'], ['gate']),
      makeNode('Mul', ['x', 'gate'], ['right']),
      makeNode('Mul', ['gate', 'right'], ['y']),
    ],
    { w: reals(type, [16, 1, 1], 41), pixels: integers([2, 3]) },
    type,
  )
}

export const DOUBLED: readonly Doubled[] = [{ tested: gated('float32'), twin: gated('float64') }]
