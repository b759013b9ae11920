import type { AttributeValues } from '../../../src/onnx/attributes.js'
import { single, smallIntegers } from '../support.js'
import type { Case } from '../support.js'

const weights = (dims: readonly number[], seed = 3) => smallIntegers('float32', dims, seed)

/** @param kernel [C, M / group, ...] */
function transposed(
  label: string,
  shape: readonly number[],
  kernel: readonly number[],
  attributes: AttributeValues & { readonly group?: number } = {},
): Case {
  const filters = kernel[1] * (attributes.group ?? 1)
  const constants = { w: weights(kernel), bias: weights([filters], 5) }
  return single('ConvTranspose', shape, { label, constants, attributes })
}

/** Linear (or affine) in x: checked by the adjoint test, to the last bit. */
export const LINEAR: readonly Case[] = [
  transposed('plain', [2, 4, 3], [2, 3, 3, 2], { kernel_shape: [3, 2] }),
  transposed('stride 2, pads and output_padding', [2, 4, 3], [2, 3, 3, 3], {
    strides: [2, 2],
    pads: [1, 1, 1, 1],
    output_padding: [1, 1],
  }),
  transposed('pads differ on each side', [2, 5, 5], [2, 3, 3, 4], { strides: [2, 3], pads: [0, 2, 1, 3] }),
  transposed('dilated', [2, 4, 5], [2, 2, 3, 2], { dilations: [2, 3], pads: [1, 0, 2, 1] }),
  transposed('dilated and strided', [1, 3, 4], [1, 2, 2, 3], { dilations: [3, 2], strides: [2, 3] }),
  transposed('two groups', [4, 3, 4], [4, 3, 3, 3], { group: 2, strides: [2, 2], pads: [1, 1, 1, 1] }),
  transposed('depthwise', [3, 3, 4], [3, 1, 2, 2], { group: 3, strides: [2, 2] }),
  transposed('output_shape, an odd rest', [2, 4, 4], [2, 3, 3, 3], { strides: [2, 2], output_shape: [8, 7] }),
  transposed('output_shape, SAME_UPPER', [2, 4, 4], [2, 3, 3, 4], {
    strides: [2, 2],
    output_shape: [8, 7],
    auto_pad: 'SAME_UPPER',
  }),
  transposed('auto_pad SAME_UPPER', [2, 4, 3], [2, 2, 3, 4], { strides: [2, 1], auto_pad: 'SAME_UPPER' }),
  transposed('auto_pad SAME_LOWER', [2, 4, 3], [2, 2, 3, 4], { strides: [2, 1], auto_pad: 'SAME_LOWER' }),
  transposed('auto_pad VALID', [2, 4, 3], [2, 2, 3, 3], { strides: [2, 2], auto_pad: 'VALID' }),
  transposed('kernel smaller than the stride', [2, 3, 3], [2, 2, 2, 1], { strides: [3, 3] }),
  transposed('one axis', [2, 5], [2, 3, 4], { strides: [2], pads: [1, 1] }),
  transposed('three axes', [2, 2, 3, 2], [2, 1, 2, 3, 2], { strides: [2, 1, 2], pads: [0, 1, 1, 1, 0, 0] }),

  single('DepthToSpace', [8, 2, 3], { label: 'DCR', attributes: { blocksize: 2 } }),
  single('DepthToSpace', [18, 2, 3], { label: 'CRD', attributes: { blocksize: 3, mode: 'CRD' } }),
  single('SpaceToDepth', [2, 6, 9], { attributes: { blocksize: 3 } }),

  single('CenterCropPad', [2, 7, 6], {
    label: 'odd rests, one axis cut and one padded',
    constants: { to: [4, 9] },
    attributes: { axes: [-2, 3] },
  }),
  single('CenterCropPad', [4, 5], { label: 'every axis, batch fixed at 2', batch: 2, constants: { to: [3, 7, 2] } }),
  single('Col2Im', [12, 12], {
    label: 'side by side',
    constants: { image: [6, 8], block: [2, 2] },
    attributes: { strides: [2, 2] },
  }),
  single('Col2Im', [18, 9], {
    label: 'overlapping, dilated, padded',
    constants: { image: [6, 7], block: [3, 3] },
    attributes: { strides: [2, 2], dilations: [2, 1], pads: [1, 0, 2, 1] },
  }),
  single('Col2Im', [6, 5], { label: 'one axis', constants: { image: [7], block: [3] } }),
]
