import { describe, test } from '@jest/globals'
import { expectSameOutputs, floats, ints, single, tensor, vector } from './support.js'
import type { Single } from './support.js'

/** As in upgrades.test.ts: run as the old opset writes it and as we rewrite it. */

const image = floats(2, 4, 6, 6)

describe('operators that changed nothing an older node would notice', () => {
  const kernel = floats(4, 2, 3, 3)
  const two = floats(2, 3)
  test.each<[string, Single]>([
    [
      'Conv with groups, dilation, strides',
      {
        opset: 7,
        op: 'Conv',
        x: image,
        more: [kernel, floats(4)],
        attributes: { group: 2, dilations: [2, 1], strides: [1, 2], pads: [1, 2, 0, 1] },
      },
    ],
    [
      'Conv with auto_pad',
      {
        opset: 8,
        op: 'Conv',
        x: image,
        more: [kernel],
        attributes: { group: 2, auto_pad: 'SAME_LOWER', strides: [2, 2] },
      },
    ],
    [
      'ConvTranspose',
      {
        opset: 7,
        op: 'ConvTranspose',
        x: image,
        more: [floats(4, 2, 3, 3)],
        attributes: { strides: [2, 2], output_padding: [1, 0] },
      },
    ],
    [
      'Gemm',
      {
        opset: 7,
        op: 'Gemm',
        x: two,
        more: [floats(4, 3), floats(4)],
        attributes: { alpha: { float: 0.5 }, beta: { float: 2 }, transB: 1 },
      },
    ],
    ['MatMul', { opset: 7, op: 'MatMul', x: two, more: [floats(3, 4)] }],
    ['Add', { opset: 7, op: 'Add', more: [floats(3, 1)] }],
    ['Sub', { opset: 7, op: 'Sub', more: [floats(4)] }],
    ['Mul', { opset: 7, op: 'Mul', more: [floats(2, 1, 1)] }],
    ['Div', { opset: 7, op: 'Div', more: [floats(1, 4)] }],
    ['Pow', { opset: 7, op: 'Pow', x: vector(1, 2, 3), more: [vector(2, -1, 0.5)] }],
    ['Relu', { opset: 7, op: 'Relu' }],
    ['LeakyRelu', { opset: 7, op: 'LeakyRelu', attributes: { alpha: { float: 0.1 } } }],
    ['LeakyRelu with its default', { opset: 7, op: 'LeakyRelu' }],
    ['PRelu', { opset: 7, op: 'PRelu', more: [floats(3, 1)] }],
    ['Elu', { opset: 7, op: 'Elu', attributes: { alpha: { float: 0.7 } } }],
    ['Selu', { opset: 7, op: 'Selu' }],
    ['Sigmoid', { opset: 7, op: 'Sigmoid' }],
    ['Tanh', { opset: 7, op: 'Tanh' }],
    ['HardSigmoid', { opset: 7, op: 'HardSigmoid', attributes: { alpha: { float: 0.3 } } }],
    ['HardSwish', { opset: 14, op: 'HardSwish' }],
    ['Softplus', { opset: 7, op: 'Softplus' }],
    ['Softsign', { opset: 7, op: 'Softsign' }],
    ['Exp', { opset: 7, op: 'Exp' }],
    ['Erf', { opset: 9, op: 'Erf' }],
    ['Sqrt', { opset: 7, op: 'Sqrt', x: vector(1, 2, 3) }],
    ['Clip-11', { opset: 11, op: 'Clip', more: [tensor('float32', [], Float32Array.of(-0.5))] }],
    [
      'MaxPool',
      { opset: 7, op: 'MaxPool', x: image, attributes: { kernel_shape: [3, 2], strides: [2, 2], pads: [1, 0, 1, 0] } },
    ],
    ['MaxPool-8 with indices', { opset: 8, op: 'MaxPool', x: image, attributes: { kernel_shape: [2, 2] }, outputs: 2 }],
    [
      'MaxPool-10, ceil mode, dilated',
      {
        opset: 10,
        op: 'MaxPool',
        x: image,
        attributes: { kernel_shape: [2, 2], strides: [2, 2], dilations: [2, 2], ceil_mode: 1 },
      },
    ],
    ['GlobalAveragePool', { opset: 7, op: 'GlobalAveragePool', x: image }],
    ['GlobalMaxPool', { opset: 7, op: 'GlobalMaxPool', x: image }],
    ['Pad-11', { opset: 11, op: 'Pad', more: [ints(0, 0, 1, 0, 0, 1)] }],
    ['Flatten', { opset: 7, op: 'Flatten', attributes: { axis: 2 } }],
    ['Flatten, negative axis', { opset: 11, op: 'Flatten', attributes: { axis: -1 } }],
    ['Reshape with 0 and −1', { opset: 7, op: 'Reshape', more: [ints(0, -1)] }],
    ['Transpose', { opset: 7, op: 'Transpose', attributes: { perm: [2, 0, 1] } }],
    ['Transpose with its default', { opset: 7, op: 'Transpose' }],
    ['Concat', { opset: 7, op: 'Concat', more: [floats(2, 1, 4)], attributes: { axis: 1 } }],
    ['Shape', { opset: 7, op: 'Shape' }],
    ['Gather', { opset: 7, op: 'Gather', more: [ints(2, 0)], attributes: { axis: 1 } }],
    ['Slice-10', { opset: 10, op: 'Slice', more: [ints(3), ints(0), ints(2), ints(-1)] }],
    ['Expand', { opset: 8, op: 'Expand', x: floats(3, 1), more: [ints(2, 1, 4)] }],
    ['Tile', { opset: 7, op: 'Tile', x: two, more: [ints(2, 1)] }],
    ['Cast to float16', { opset: 7, op: 'Cast', attributes: { to: 10 } }],
    ['Cast', { opset: 7, op: 'Cast', attributes: { to: 6 } }],
    ['Equal', { opset: 7, op: 'Equal', x: ints(1, 2, 3), more: [ints(1, 5, 3)] }],
    ['Equal-11 of floats', { opset: 11, op: 'Equal', x: vector(1, 2), more: [vector(1, 3)] }],
    ['Sum', { opset: 8, op: 'Sum', more: [floats(3, 1), floats(4)] }],
    ['Max', { opset: 8, op: 'Max', more: [floats(4)] }],
    ['ArgMax', { opset: 7, op: 'ArgMax', attributes: { axis: 1, keepdims: 0 } }],
    ['TopK-10', { opset: 10, op: 'TopK', more: [ints(2)], outputs: 2 }],
    ['LRN', { opset: 7, op: 'LRN', x: image, attributes: { size: 3 } }],
    ['InstanceNormalization', { opset: 7, op: 'InstanceNormalization', x: image, more: [floats(4), floats(4)] }],
    ['LpPool', { opset: 7, op: 'LpPool', x: image, attributes: { kernel_shape: [2, 2] } }],
    ['DepthToSpace', { opset: 7, op: 'DepthToSpace', x: image, attributes: { blocksize: 2 } }],
    [
      'QuantizeLinear',
      {
        opset: 10,
        op: 'QuantizeLinear',
        more: [tensor('float32', [], Float32Array.of(0.1)), tensor('uint8', [], Uint8Array.of(128))],
      },
    ],
    [
      'DequantizeLinear',
      {
        opset: 10,
        op: 'DequantizeLinear',
        x: tensor('int8', [3], Int8Array.of(-7, 0, 9)),
        more: [tensor('float32', [], Float32Array.of(0.1)), tensor('int8', [], Int8Array.of(1))],
      },
    ],
  ])('%s', async (_, one) => {
    await expectSameOutputs(single(one))
  })

  // onnxruntime has another kernel for AveragePool since opset 19, which adds in another order: a few units in the last
  // place of numbers up to 2.
  test.each<[string, Single]>([
    [
      'AveragePool',
      {
        opset: 7,
        op: 'AveragePool',
        x: image,
        attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [2, 2] },
      },
    ],
    [
      'AveragePool counting its padding',
      {
        opset: 7,
        op: 'AveragePool',
        x: image,
        attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 1 },
      },
    ],
    [
      'AveragePool-10, ceil mode',
      { opset: 10, op: 'AveragePool', x: image, attributes: { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 } },
    ],
    [
      'AveragePool-11, ceil mode counting its padding',
      {
        opset: 11,
        op: 'AveragePool',
        x: image,
        attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 0, 0], ceil_mode: 1, count_include_pad: 1 },
      },
    ],
    [
      'AveragePool, auto_pad',
      {
        opset: 7,
        op: 'AveragePool',
        x: image,
        attributes: { kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'SAME_UPPER' },
      },
    ],
  ])('%s', async (_, one) => {
    await expectSameOutputs(single(one), 6)
  })

  test('Where', async () => {
    const condition = tensor('bool', [3], Uint8Array.of(1, 0, 1))
    await expectSameOutputs(single({ opset: 9, op: 'Where', x: condition, more: [vector(1, 2, 3), vector(4, 5, 6)] }))
  })

  test('ConstantOfShape', async () => {
    const value = vector(2.5)
    await expectSameOutputs(single({ opset: 9, op: 'ConstantOfShape', x: ints(2, 3), attributes: { value } }))
    await expectSameOutputs(single({ opset: 9, op: 'ConstantOfShape', x: ints(2, 3) }))
  })
})
