import { makeNode } from '../../../src/onnx/attributes.js'
import type { AttributeValues } from '../../../src/onnx/attributes.js'
import { composed, count, floating, integers, reals, single } from '../support.js'
import type { Case, Doubled } from '../support.js'

/** DeformConv on 2×3 pixels whose image, offsets and mask are all cut out of x. */
function deformed(
  label: string,
  sizes: Readonly<Record<'channels' | 'filters' | 'group' | 'offset_group' | 'masked', number>>,
): Case {
  const { channels, filters, group, offset_group, masked } = sizes
  const shapes = [[channels, 2, 3], [offset_group * 8, 1, 2], ...(masked ? [[offset_group * 4, 1, 2]] : [])]
  const ends = shapes.map((_, at) => shapes.slice(0, at + 1).reduce((total, dims) => total + count(dims), 0))
  const parts = shapes.flatMap((_, at) => [
    makeNode('Slice', ['x', `from${at}`, `to${at}`, 'one'], [`flat${at}`]),
    makeNode('Reshape', [`flat${at}`, `shape${at}`], [`part${at}`]),
  ])
  const inputs = ['part0', 'w', 'part1', '', ...(masked ? ['part2'] : [])]
  return composed(
    `DeformConv, ${label}`,
    [ends[ends.length - 1]],
    [...parts, makeNode('DeformConv', inputs, ['y'], { group, offset_group })],
    {
      one: integers([1]),
      w: reals('float64', [filters, channels / group, 2, 2], 3),
      ...Object.fromEntries(
        shapes.flatMap((dims, at) => [
          [`from${at}`, integers([at === 0 ? 0 : ends[at - 1]])],
          [`to${at}`, integers([ends[at]])],
          [`shape${at}`, integers([-1, ...dims])],
        ]),
      ),
    },
    'float64',
  )
}

/** Nonlinear, with kernels in double: checked against central differences in float64. */
export const SMOOTH: readonly Case[] = [
  ...[0, 1].flatMap((masked) => [
    deformed(`all from x, mask ${masked}`, { channels: 2, filters: 3, group: 1, offset_group: 1, masked }),
    deformed(`groups, mask ${masked}`, { channels: 4, filters: 2, group: 2, offset_group: 2, masked }),
  ]),
  single('DeformConv', [2, 4, 5], {
    label: 'a constant offset, strides, dilations, uneven pads, batch fixed at 2',
    type: 'float64',
    batch: 2,
    inputs: ['x', 'w', 'offset', 'bias'],
    constants: {
      w: reals('float64', [3, 2, 3, 2], 3),
      offset: reals('float64', [2, 12, 3, 2], 4),
      bias: reals('float64', [3], 5),
    },
    attributes: { kernel_shape: [3, 2], strides: [2, 1], dilations: [1, 3], pads: [1, 0, 2, 0] },
  }),
]

/**
 * Weights cut out of x beside the image, as dynamic convolutions make them, and the bias, too. The twin in
 * double is a DeformConv that nothing deforms.
 */
function dynamic(
  label: string,
  image: readonly number[],
  kernel: readonly number[],
  attributes: AttributeValues & { readonly group?: number; readonly pads?: readonly number[] },
  output: readonly number[],
): Doubled {
  const shapes = [image, kernel, [kernel[0]]]
  const ends = shapes.map((_, at) => shapes.slice(0, at + 1).reduce((total, dims) => total + count(dims), 0))
  const parts = shapes.flatMap((_, at) => [
    makeNode('Slice', ['x', `from${at}`, `to${at}`, 'one'], [`flat${at}`]),
    makeNode('Reshape', [`flat${at}`, `shape${at}`], [`part${at}`]),
  ])
  const constants = {
    one: integers([1]),
    ...Object.fromEntries(
      shapes.flatMap((dims, at) => [
        [`from${at}`, integers([at === 0 ? 0 : ends[at - 1]])],
        [`to${at}`, integers([ends[at]])],
        [`shape${at}`, integers(at === 0 ? [1, ...dims] : dims)],
      ]),
    ),
  }
  const offset = floating(
    'float64',
    [1, 2 * kernel[2] * kernel[3], ...output],
    new Float64Array(2 * kernel[2] * kernel[3] * count(output)),
  )
  const conv = makeNode('Conv', ['part0', 'part1', 'part2'], ['y'], attributes)
  const undeformed = makeNode('DeformConv', ['part0', 'part1', 'offset', 'part2'], ['y'], attributes)
  const shape = [ends[2]]
  return {
    tested: {
      ...composed(`Conv, weights from x, ${label}, batch fixed at 1`, shape, [...parts, conv], constants),
      batch: 1,
    },
    twin: { ...composed('twin', shape, [...parts, undeformed], { ...constants, offset }, 'float64'), batch: 1 },
  }
}

const DYNAMIC_PARTS = [
  makeNode('Split', ['x', 'lengths'], ['pixels', 'taps', 'bias'], { axis: 1 }),
  makeNode('Reshape', ['pixels', 'image_shape'], ['image']),
  makeNode('Reshape', ['taps', 'kernel_shape'], ['w']),
  makeNode('Squeeze', ['bias', 'front'], ['c']),
]

/** A ConvTranspose of 2×3 pixels with weights from x; in double, zeros stuffed between pixels and the kernel turned round. */
function dynamicTransposed(depthwise: boolean, stride: number): Doubled {
  const kernel = depthwise ? [2, 1, 3, 2] : [2, 3, 3, 2]
  const filters = depthwise ? 2 : 3
  const lengths = [12, count(kernel), filters]
  const group = depthwise ? 2 : 1
  const constants = {
    lengths: integers(lengths),
    image_shape: integers([1, 2, 2, 3]),
    kernel_shape: integers(kernel),
    front: integers([0]),
  }
  const shape = [lengths.reduce((total, length) => total + length, 0)]
  const output_padding = [stride - 1, stride - 1]
  const output = [2 * stride + 2, 3 * stride + 1]
  const tested = composed(
    `ConvTranspose, weights from x, ${depthwise ? 'depthwise, ' : ''}stride ${stride}, batch fixed at 1`,
    shape,
    [
      ...DYNAMIC_PARTS,
      makeNode('ConvTranspose', ['image', 'w', 'c'], ['y'], { group, strides: [stride, stride], output_padding }),
    ],
    constants,
  )
  const twin = composed(
    'twin',
    shape,
    [
      ...DYNAMIC_PARTS,
      makeNode('Reshape', ['image', 'apart'], ['pixels_apart']),
      makeNode('Pad', ['pixels_apart', 'zeros'], ['stuffed']),
      makeNode('Reshape', ['stuffed', 'together'], ['sparse']),
      makeNode('Slice', ['w', 'last', 'first', 'axes', 'backwards'], ['turned']),
      makeNode('Transpose', ['turned'], ['swapped'], { perm: depthwise ? [0, 1, 2, 3] : [1, 0, 2, 3] }),
      makeNode('DeformConv', ['sparse', 'swapped', 'offset', 'c'], ['y'], { group, pads: [2, 1, 2, 1] }),
    ],
    {
      ...constants,
      apart: integers([1, 2, 2, 1, 3, 1]),
      zeros: integers([0, 0, 0, 0, 0, 0, 0, 0, 0, stride - 1, 0, stride - 1]),
      together: integers([1, 2, 2 * stride, 3 * stride]),
      last: integers([-1, -1]),
      first: integers([-9, -9]),
      axes: integers([2, 3]),
      backwards: integers([-1, -1]),
      offset: floating('float64', [1, 12, ...output], new Float64Array(12 * count(output))),
    },
    'float64',
  )
  return { tested: { ...tested, batch: 1 }, twin: { ...twin, batch: 1 } }
}

/** Kernels in float32 only. */
export const DOUBLED: readonly Doubled[] = [
  dynamicTransposed(false, 2),
  dynamicTransposed(true, 1),
  dynamic('padded', [2, 4, 5], [3, 2, 3, 2], { pads: [1, 0, 2, 1] }, [5, 5]),
  dynamic('two groups, stride 2, a row left over', [4, 6, 5], [2, 2, 3, 3], { group: 2, strides: [2, 2] }, [2, 2]),
  dynamic(
    'dilated, strides differ',
    [1, 7, 6],
    [2, 1, 2, 3],
    { dilations: [3, 1], strides: [1, 2], pads: [0, 1, 0, 1] },
    [4, 3],
  ),
  dynamic('depthwise', [3, 4, 4], [3, 1, 2, 2], { group: 3 }, [3, 3]),
]
