import { describe, expect, test } from '@jest/globals'
import { UsageError } from '../../src/errors.js'
import { makeNode } from '../../src/onnx/attributes.js'
import type { AttributeValues } from '../../src/onnx/attributes.js'
import { canonicalise } from '../../src/onnx/canonical.js'
import { encodeModel } from '../../src/onnx/codec.js'
import type { Tensor } from '../../src/onnx/graph.js'
import { runModel } from '../support/onnxruntime.js'
import { composed, count, differentiate, floating, graphOf, inner, integers, numbersOf, reals } from './support.js'
import type { Case, Floating } from './support.js'

/**
 * Pooling of regions, for which onnxruntime has kernels up to opset 21: a classifier that looks at fixed places of its
 * feature maps would have no gradient without it. The oracle is the operator itself, at its own opset.
 */
function pooling(
  name: string,
  shape: readonly number[],
  regions: readonly (readonly number[])[],
  attributes: AttributeValues,
  { type = 'float32', images, opset = 16 }: { type?: Floating; images?: readonly number[]; opset?: number } = {},
): Case {
  const [op] = name.split(',')
  const inputs = op === 'RoiAlign' ? ['x', 'regions', 'images'] : ['x', 'regions']
  const constants: Record<string, Tensor> = {
    regions: floating(type, [regions.length, regions[0].length], regions.flat()),
    ...(op === 'RoiAlign' && { images: integers(images ?? regions.map(() => 0)) }),
  }
  const node = makeNode(op, inputs, ['y'], attributes, 'pool')
  return {
    ...composed(name, shape, [node], constants, type),
    batch: Math.max(1, ...(images ?? []).map((at) => at + 1)),
    opset,
  }
}

const maxima = (
  label: string,
  regions: readonly (readonly number[])[],
  attributes: AttributeValues,
  images = 1,
): Case => ({
  ...pooling(`MaxRoiPool, ${label}`, [images === 1 ? 2 : 1, 6, 7], regions, { pooled_shape: [2, 3], ...attributes }),
  batch: images,
})

const MAXIMA: readonly Case[] = [
  maxima(
    'two regions that overlap',
    [
      [0, 0, 0, 5, 4],
      [0, 2, 1, 6, 5],
    ],
    {},
  ),
  maxima(
    'a scale, corners on half a pixel',
    [
      [0, 1, 3, 9, 10],
      [0, 5, 5, 13, 11],
    ],
    { spatial_scale: { float: 0.5 } },
  ),
  maxima('bins that share pixels', [[0, 1, 1, 2, 2]], { pooled_shape: [3, 4] }),
  maxima(
    'over the rim: some bins are empty',
    [
      [0, -5, -4, 2, 3],
      [0, 4, 4, 12, 9],
      [0, -9, -9, -5, -5],
    ],
    {},
  ),
  maxima('corners the wrong way round', [[0, 5, 4, 2, 1]], {}),
  maxima(
    'regions of three images',
    [
      [2, 0, 0, 5, 4],
      [0, 2, 1, 6, 5],
      [2, 1, 1, 3, 3],
    ],
    {},
    3,
  ),
]

const aligned = (
  label: string,
  regions: readonly (readonly number[])[],
  attributes: AttributeValues,
  more: Parameters<typeof pooling>[4] = {},
): Case =>
  pooling(
    `RoiAlign, ${label}`,
    [1, 6, 7],
    regions,
    { output_height: 2, output_width: 3, ...attributes },
    { type: 'float64', ...more },
  )

const boxes = [
  [0.3, 0.6, 4.7, 3.9],
  [1.9, 1.2, 6.1, 5.3],
]

const ALIGNED: readonly Case[] = [
  aligned('two samples a bin', boxes, { sampling_ratio: 2 }),
  aligned('as many samples as pixels', [[0, 0, 6, 5], ...boxes], {}),
  aligned(
    'a scale',
    boxes.map((box) => box.map((edge) => 4 * edge)),
    { spatial_scale: { float: 0.25 } },
  ),
  aligned('coordinates as before opset 16', boxes, {
    sampling_ratio: 3,
    coordinate_transformation_mode: 'output_half_pixel',
  }),
  aligned('opset 10', [[0.2, 0.1, 0.5, 4.1], ...boxes], { sampling_ratio: 2 }, { opset: 10 }),
  aligned(
    'over the rim',
    [
      [-3.3, -2.1, 2.2, 3.4],
      [4.1, 3.7, 12.3, 9.9],
      [-9, -9, -5, -5],
    ],
    {},
  ),
  aligned(
    'empty regions',
    [
      [2, 2, 2, 2],
      [3, 3, 2, 2.5],
    ],
    {},
  ),
  aligned('two images', boxes, { sampling_ratio: 1 }, { images: [1, 0] }),
  aligned('the greatest of two samples', boxes, { mode: 'max', sampling_ratio: 2 }),
  aligned('the greatest of as many as there are pixels', [[0, 0, 5.9, 4.9], ...boxes], { mode: 'max' }),
  aligned(
    'the greatest, over the rim',
    [
      [-3.3, -2.1, 2.2, 3.4],
      [4.1, 3.7, 12.3, 9.9],
    ],
    { mode: 'max' },
  ),
  aligned(
    'the greatest of empty regions',
    [
      [2, 2, 2, 2],
      [3, 3, 2, 2.5],
    ],
    { mode: 'max' },
  ),
]

const rowsOf = (tested: Case): number => tested.batch ?? 1

/** Whole numbers that are all different, in no order. */
function different(dims: readonly number[]): Tensor {
  const size = count(dims)
  return floating(
    'float32',
    dims,
    Array.from({ length: size }, (_, at) => ((at * 37) % size) - Math.floor(size / 2)),
  )
}

const only = (values: ReadonlyMap<string, Tensor>): Tensor => [...values.values()][0]

describe('in its canonical form it gives the same', () => {
  // Weights are multiplied in another order: a few units in the last place of double.
  test.each([...MAXIMA, ...ALIGNED].map((tested) => [tested.name, tested] as const))('%s', async (_name, tested) => {
    const dims = [rowsOf(tested), ...tested.shape]
    const x = tested.type === 'float32' ? different(dims) : reals('float64', dims, 5)
    const graph = graphOf(tested)
    const [before, after] = [
      only(await runModel(encodeModel(graph), new Map([['x', x]]))),
      only(await runModel(encodeModel(canonicalise(graph)), new Map([['x', x]]))),
    ]
    expect(after.dims).toEqual(before.dims)
    numbersOf(before).forEach((value, at) => expect(Math.abs(numbersOf(after)[at] - value)).toBeLessThan(1e-14))
  })
})

/** Pixels are a whole number apart and the step is a quarter: the order stays, the function is linear there, and exact. */
describe('the slope of maxima, to the last bit', () => {
  test.each(MAXIMA.map((tested) => [tested.name, tested] as const))('%s', async (_name, tested) => {
    await expectSlopes(tested, different([rowsOf(tested), ...tested.shape]), 0.25, 0)
  })
})

/** Piecewise linear: the formula's own error is 0, rounding 1e−16 · Σ|y·u| / h ≈ 1e−9; 1e−8 is far below any weight. */
describe('the slope between pixels', () => {
  test.each(ALIGNED.map((tested) => [tested.name, tested] as const))('%s', async (_name, tested) => {
    await expectSlopes(tested, reals('float64', [rowsOf(tested), ...tested.shape], 23), 1e-5, 1e-8)
  })
})

async function expectSlopes(tested: Case, x: Tensor, step: number, tolerance: number): Promise<void> {
  const { vjp } = await differentiate(tested)
  // The canonical form, which gives the same: onnxruntime complains of its own RoiAlign at every start.
  const model = encodeModel(canonicalise(graphOf(tested)))
  const forward = async (at: Tensor): Promise<Tensor> => only(await runModel(model, new Map([['x', at]])))
  const { dims } = await forward(x)
  const u = tested.type === 'float32' ? different(dims) : reals('float64', dims, 29)
  const gradient = numbersOf(await vjp(x, u))
  const values = numbersOf(x)
  for (let at = 0; at < values.length; at++) {
    const moved = async (by: number): Promise<number> => {
      const shifted = values.map((value, place) => value + (place === at ? by : 0))
      return inner(await forward(floating(tested.type, x.dims, shifted)), u)
    }
    const slope = ((await moved(step)) - (await moved(-step))) / (2 * step)
    expect(Math.abs(gradient[at] - slope)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(slope)))
  }
}

test('of equal pixels the first in row-major order takes all, as in MaxPool', async () => {
  const tested = pooling('MaxRoiPool', [1, 2, 3], [[0, 0, 0, 2, 1]], { pooled_shape: [1, 1] })
  const { vjp } = await differentiate(tested)
  const x = floating('float32', [1, 1, 2, 3], [0, 1, 2, 2, 1, 2])
  expect(numbersOf(await vjp(x, floating('float32', [1, 1, 1, 1], [1])))).toEqual([0, 0, 1, 0, 0, 0])
})

test('regions that are computed from the image are refused in one line', async () => {
  const nodes = [
    makeNode('ReduceMax', ['x'], ['found'], { axes: [2, 3], keepdims: 0 }),
    makeNode('MaxRoiPool', ['x', 'found'], ['y'], { pooled_shape: [1, 1] }, 'pool'),
  ]
  const proposals: Case = { ...composed('proposals', [5, 4, 4], nodes), opset: 16, batch: 1 }
  const message = /MaxRoiPool \(node "pool"\) has no gradient rule; export the model with fixed regions/
  await expect(differentiate(proposals)).rejects.toThrow(UsageError)
  await expect(differentiate(proposals)).rejects.toThrow(message)
})
