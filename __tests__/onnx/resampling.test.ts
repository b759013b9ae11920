import { describe, expect, test } from '@jest/globals'
import { expectSameOutputs, floats, ints, single, vector } from './support.js'
import type { Single } from './support.js'

/** Each model is run by onnxruntime as its old opset writes it and as we rewrite it; equal to the bit unless it says otherwise. */

const image = floats(2, 4, 6, 6)

describe('resampling', () => {
  const up = vector(1, 1, 2, 3)
  test.each<[string, Single]>([
    ['Upsample-7, nearest', { opset: 7, op: 'Upsample', attributes: { scales: { floats: [1, 1, 2, 3] } } }],
    [
      'Upsample-7, linear',
      { opset: 8, op: 'Upsample', attributes: { scales: { floats: [1, 1, 2, 2] }, mode: 'linear' } },
    ],
    ['Upsample-9, nearest', { opset: 9, op: 'Upsample', more: [up] }],
    ['Upsample-9, linear', { opset: 9, op: 'Upsample', more: [vector(1, 1, 1.5, 2)], attributes: { mode: 'linear' } }],
    ['Resize-10, nearest, larger', { opset: 10, op: 'Resize', more: [vector(1, 1, 1.5, 2.5)] }],
    ['Resize-10, nearest, smaller', { opset: 10, op: 'Resize', more: [vector(1, 1, 0.5, 0.7)] }],
    ['Resize-10, nearest, larger and smaller', { opset: 10, op: 'Resize', more: [vector(1, 1, 0.6, 2)] }],
    ['Resize-10, linear', { opset: 10, op: 'Resize', more: [vector(1, 1, 2, 0.5)], attributes: { mode: 'linear' } }],
    ['Resize-11 by scales', { opset: 11, op: 'Resize', more: [vector(), up] }],
    [
      'Resize-11 by sizes',
      {
        opset: 11,
        op: 'Resize',
        more: [vector(), vector(), ints(2, 4, 9, 4)],
        attributes: { mode: 'linear', coordinate_transformation_mode: 'align_corners' },
      },
    ],
    ['Resize-13, cubic', { opset: 13, op: 'Resize', more: [vector(), up], attributes: { mode: 'cubic' } }],
  ])('%s', async (_, one) => {
    await expectSameOutputs(single({ x: image, ...one }))
  })

  test.each([['bilinear'], ['bicubic'], ['nearest'], [undefined]])('GridSample-16 in mode %s', async (mode) => {
    const grid = { ...floats(2, 3, 3, 2), data: Float32Array.from({ length: 36 }, (_, at) => Math.sin(at) * 1.1) }
    await expectSameOutputs(single({ opset: 16, op: 'GridSample', x: image, more: [grid], attributes: { mode } }))
  })
})

test('a Resize leaves out what it does not use, so that its one way of giving a size is plain', async () => {
  const sizes = [vector(), vector(), ints(2, 4, 9, 4)]
  const { nodes, constants } = await expectSameOutputs(single({ opset: 11, op: 'Resize', x: image, more: sizes }))
  expect(nodes[0].inputs).toEqual(['x', '', '', 'c2'])
  expect([...constants.keys()]).toEqual(['c2'])
})
