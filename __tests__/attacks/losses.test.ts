import { expect, test } from '@jest/globals'
import { predictedClass } from '../../src/attacks/losses.js'

test.each([
  ['the greatest', [1, 3, 2], 1],
  ['the lowest of equals, as NumPy does', [1, 3, 3], 1],
  ['infinity over any number', [5, -Infinity, Infinity], 2],
  ['a class, where all are −∞', [-Infinity, -Infinity], 0],
  ['never NaN', [Number.NaN, 1, Number.NaN, 2, Number.NaN], 3],
  ['none, where all are NaN', [Number.NaN, Number.NaN], 2],
])('the predicted class is %s', (_, outputs, expected) => {
  expect(predictedClass(Float32Array.from(outputs))).toBe(expected)
})
