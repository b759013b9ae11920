import { makeNode } from '../../../src/onnx/attributes.js'
import type { AttributeValues } from '../../../src/onnx/attributes.js'
import type { Tensor } from '../../../src/onnx/graph.js'
import { composed, floating, integers, numbersOf, reals, single } from '../support.js'
import type { Case, Doubled } from '../support.js'

const cube = [3, 4, 6]

type Constants = Readonly<Record<string, Tensor>>

export function inDouble(tested: Case): Case {
  const widen = (value: Tensor): Tensor =>
    value.type === 'float32' ? floating('float64', value.dims, numbersOf(value)) : value
  const constants = Object.fromEntries(Object.entries(tested.constants).map(([name, value]) => [name, widen(value)]))
  return { ...tested, type: 'float64', constants }
}

const scale = (...dims: readonly number[]) => reals('float32', dims, 5)
const bias = (...dims: readonly number[]) => reals('float32', dims, 6)

/** Operators with kernels in both types, whose rules differ: in float32 the kernel gives the statistics. */
const inBoth: readonly Case[] = [
  single('LayerNormalization', cube, { constants: { scale: scale(6), bias: bias(6) } }),
  single('LayerNormalization', cube, {
    label: 'two axes, no bias',
    constants: { scale: scale(4, 6) },
    attributes: { axis: -2, epsilon: { float: 0.3 } },
  }),
  single('LayerNormalization', cube, {
    label: 'positive axis, scale and bias broadcast',
    constants: { scale: scale(4, 1), bias: bias(6) },
    attributes: { axis: 1 },
  }),
  single('LayerNormalization', cube, {
    label: 'scale over axes that are not normalised',
    constants: { scale: scale(3, 1, 6), bias: bias(4, 1) },
  }),
  single('LayerNormalization', [5], {
    label: 'a matrix, scale of ones',
    constants: { scale: floating('float32', [5], [1, 1, 1, 1, 1]) },
    attributes: { axis: 1 },
  }),
  single('LayerNormalization', cube, {
    label: 'stash_type',
    constants: { scale: scale(6) },
    attributes: { stash_type: 1 },
  }),
  composed(
    'LayerNormalization, scale and bias from the image',
    cube,
    [makeNode('Tanh', ['x'], ['t']), makeNode('LayerNormalization', ['x', 't', 'x'], ['y'])],
    {},
  ),
  single('LayerNormalization', cube, {
    label: 'over the batch too, fixed at 3',
    batch: 3,
    constants: { scale: scale(3, 3, 4, 6) },
    attributes: { axis: 0 },
  }),
  single('RMSNormalization', cube, { constants: { scale: scale(6) } }),
  single('RMSNormalization', cube, {
    label: 'two axes, scale broadcast',
    constants: { scale: scale(4, 1) },
    attributes: { axis: -2, epsilon: { float: 0.2 } },
  }),
  composed('RMSNormalization, scale from the image', cube, [
    makeNode('Tanh', ['x'], ['t']),
    makeNode('RMSNormalization', ['x', 't'], ['y']),
  ]),
  single('SimplifiedLayerNormalization', cube, { constants: { scale: scale(6) } }),
  single('LpNormalization', cube),
  single('LpNormalization', cube, { label: 'p 1, axis 1', attributes: { axis: 1, p: 1 } }),
  single('LpNormalization', cube, { label: 'p 2, axis −2', attributes: { axis: -2, p: 2 } }),
]

/** An export in training mode: the images of a batch set its mean and variance, and move them. */
const training = (batch: number, shape: readonly number[]): Case => ({
  ...composed(
    `BatchNormalization, in training mode, ${shape.length + 1} dimensions, batch fixed at ${batch}`,
    shape,
    [
      makeNode(
        'BatchNormalization',
        ['x', 'scale', 'bias', 'mean', 'variance'],
        ['y', 'newMean', 'newVariance'],
        { training_mode: 1, epsilon: { float: 0.1 }, momentum: { float: 0.7 } },
        'tested',
      ),
    ],
    {
      ...{ scale: reals('float64', [3], 5), bias: reals('float64', [3], 6) },
      ...{ mean: reals('float64', [3], 7), variance: reals('float64', [3], 8, 0.5, 3) },
    },
    'float64',
  ),
  batch,
})

/** A generator of styles, or of filters: the line of every channel is computed, so that the batch is fixed. */
const computedLine = (batch: number, shape: readonly number[], trains: boolean): Case => ({
  ...composed(
    `BatchNormalization${trains ? ', in training mode' : ''}, all from the image, ${shape.length + 1} dimensions, batch fixed at ${batch}`,
    shape,
    [
      makeNode('ReduceMean', ['x', 'axes'], ['m'], { keepdims: 0 }),
      makeNode('Sin', ['m'], ['scale']),
      makeNode('Mul', ['m', 'm'], ['bias']),
      makeNode('Tanh', ['m'], ['mean']),
      makeNode('Exp', ['m'], ['variance']),
      makeNode(
        'BatchNormalization',
        ['x', 'scale', 'bias', 'mean', 'variance'],
        trains ? ['y', 'newMean', 'newVariance'] : ['y'],
        { epsilon: { float: 0.1 }, ...(trains && { training_mode: 1 }) },
        'tested',
      ),
    ],
    { axes: integers([0, ...shape.slice(1).map((_, at) => at + 2)]) },
    'float64',
  ),
  batch,
})

export const SMOOTH: readonly Case[] = [
  ...inBoth.map(inDouble),
  computedLine(1, [3, 2, 2], false),
  computedLine(3, [3], false),
  computedLine(2, [3, 3], true),
  training(1, [3, 2, 4]),
  training(3, [3, 2, 4]),
  training(4, [3]),
]

export const DOUBLED: readonly Doubled[] = [
  ...inBoth.map((tested) => ({ tested, twin: inDouble(tested) })),
  {
    tested: single('GroupNormalization', [6, 3, 2], {
      constants: { scale: scale(6), bias: bias(6) },
      attributes: { num_groups: 2 },
    }),
  },
  {
    tested: single('GroupNormalization', [4, 5], {
      label: 'one axis, as many groups as channels',
      constants: { scale: scale(4), bias: bias(4) },
      attributes: { num_groups: 4, epsilon: { float: 0.1 } },
    }),
  },
  {
    tested: single('GroupNormalization', [4, 3, 3], {
      label: 'one group, batch fixed at 2',
      batch: 2,
      constants: { scale: scale(4), bias: bias(4) },
      attributes: { num_groups: 1 },
    }),
  },
  ...expanded('InstanceNormalization', [3, 4, 5], { scale: scale(3), bias: bias(3) }),
  ...expanded('InstanceNormalization', [3, 7], { scale: scale(3), bias: bias(3) }, { epsilon: { float: 0.2 } }),
  ...expanded('MeanVarianceNormalization', [3, 4, 5], {}, { axes: [1, 3] }),
  { tested: single('MeanVarianceNormalization', [2, 3, 3], { label: 'over the batch, fixed at 3', batch: 3 }) },
  // onnxruntime knows LRN on four axes and with an odd size only.
  lrn([5, 3, 2], 3, { alpha: { float: 0.4 } }),
  lrn([3, 2, 2], 5, { alpha: { float: 0.7 }, beta: { float: 0.5 }, bias: { float: 2 } }),
  skipped('SkipLayerNormalization', ['x', 'k', 'g'], { k: reals('float32', [4, 6], 8), g: scale(6) }),
  skipped(
    'SkipLayerNormalization',
    ['k', 'x', 'g', 'b'],
    { k: reals('float32', [1, 4, 6], 8), g: scale(6), b: bias(6) },
    1,
  ),
  skipped('SkipLayerNormalization', ['x', 'x', 'g', 'b', 'c'], {
    g: scale(6),
    b: bias(6),
    c: reals('float32', [6], 9),
  }),
  skipped('SkipSimplifiedLayerNormalization', ['x', 'k', 'g', 'c'], {
    k: reals('float32', [4, 6], 8),
    g: scale(6),
    c: reals('float32', [6], 9),
  }),
  // As large as the variances themselves.
  ...['SkipLayerNormalization', 'SkipSimplifiedLayerNormalization'].map((op) =>
    skipped(op, ['x', 'k', 'g'], { k: reals('float32', [4, 6], 8), g: scale(6) }, undefined, { epsilon: { float: 2 } }),
  ),
]

function expanded(op: string, shape: readonly number[], constants: Constants, attributes: AttributeValues = {}) {
  return [{ tested: single(op, shape, { label: `${shape.length - 1} axes`, constants, attributes }) }]
}

interface LrnAttributes {
  readonly alpha: { readonly float: number }
  readonly beta?: { readonly float: number }
  readonly bias?: { readonly float: number }
}

/** The twin sums the squares with a matrix: 1 where two channels are neighbours. */
function lrn(shape: readonly number[], size: number, attributes: LrnAttributes): Doubled {
  const [channels] = shape
  const { alpha, beta, bias: start } = { beta: { float: 0.75 }, bias: { float: 1 }, ...attributes }
  const [before, after] = [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)]
  const neighbours = Array.from({ length: channels * channels }, (_, at) => {
    const distance = (at % channels) - Math.floor(at / channels)
    return distance >= -before && distance <= after ? 1 : 0
  })
  const double = (value: number) => floating('float64', [], [value])
  return {
    tested: single('LRN', shape, { label: `size ${size}`, attributes: { ...attributes, size } }),
    twin: composed(
      'LRN',
      shape,
      [
        makeNode('Mul', ['x', 'x'], ['square']),
        makeNode('Flatten', ['square'], ['flat']),
        makeNode('Reshape', ['flat', 'columns'], ['channels']),
        makeNode('MatMul', ['neighbours', 'channels'], ['sums']),
        makeNode('Mul', ['sums', 'share'], ['shares']),
        makeNode('Add', ['shares', 'start'], ['base']),
        makeNode('Pow', ['base', 'power'], ['factors']),
        makeNode('Reshape', ['factors', 'shape'], ['factor']),
        makeNode('Mul', ['x', 'factor'], ['y']),
      ],
      {
        columns: integers([-1, channels, shape.slice(1).reduce((total, length) => total * length, 1)]),
        neighbours: floating('float64', [channels, channels], neighbours),
        share: double(alpha.float / size),
        start: double(start.float),
        power: double(-beta.float),
        shape: integers([-1, ...shape]),
      },
      'float64',
    ),
  }
}

/** Its sum is an output, too: the model goes on with the product of both. */
function skipped(
  op: string,
  inputs: readonly string[],
  constants: Constants,
  batch?: number,
  attributes: AttributeValues = {},
): Doubled {
  const nodes = [
    makeNode(op, inputs, ['n', '', '', 's'], attributes, 'tested', 'com.microsoft'),
    makeNode('Mul', ['n', 's'], ['y']),
  ]
  return { tested: { ...composed(`${op} of ${inputs.join(', ')}`, [4, 6], nodes, constants), batch } }
}
