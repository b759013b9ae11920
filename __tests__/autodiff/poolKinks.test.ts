import { expect, test } from '@jest/globals'
import type { AttributeValues } from '../../src/onnx/attributes.js'
import { differentiate, floating, numbersOf, single } from './support.js'

/** d Σy / dx on 2×3 pixels, by hand; of equal maxima PyTorch takes the first. */
const KINKS: readonly (readonly [string, AttributeValues, readonly number[], readonly number[]])[] = [
  ['MaxPool', { kernel_shape: [2, 3] }, [1, 2, 2, 2, 0, 1], [0, 1, 0, 0, 0, 0]],
  ['MaxPool', { kernel_shape: [2, 3], storage_order: 1 }, [1, 2, 2, 2, 0, 1], [0, 1, 0, 0, 0, 0]],
  ['MaxPool', { kernel_shape: [2, 3], strides: [2, 3] }, [1, 2, 2, 2, 0, 1], [0, 1, 0, 0, 0, 0]],
  ['GlobalMaxPool', {}, [1, 0, 2, 2, 2, 1], [0, 0, 1, 0, 0, 0]],
  ['LpPool', { kernel_shape: [2, 3] }, [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]],
  ['LpPool', { kernel_shape: [2, 3], p: 3 }, [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]],
  ['LpPool', { kernel_shape: [2, 1], p: 3 }, [0, 0, -2, -3, 0, 0], [0, 0, -1, -1, 0, 0]],
  ['GlobalLpPool', {}, [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]],
  ['GlobalLpPool', { p: 3 }, [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]],
  ['GlobalLpPool', { p: 3 }, [0, 0, -1, 0, 0, 0], [0, 0, -1, 0, 0, 0]],
  ['LpPool', { kernel_shape: [2, 3], p: 1 }, [0, 1, -2, 0, 0, 3], [0, 1, -1, 0, 0, 1]],
]

/** An attack that starts on a black image or a tie goes where the first slope sends it; NaN there would end it. */
test.each(KINKS)('%s %j at %j', async (op, attributes, x, slopes) => {
  // onnxruntime has no GlobalLpPool since opset 22.
  const { vjp, forward } = await differentiate({ ...single(op, [1, 2, 3], { attributes }), opset: 21 })
  const point = floating('float32', [1, 1, 2, 3], x)
  const { dims, data } = await forward(point)
  const gradient = numbersOf(await vjp(point, floating('float32', dims, new Float32Array(data.length).fill(1))))
  expect(gradient.map((slope) => slope + 0)).toEqual(slopes) // −0 is 0
})
