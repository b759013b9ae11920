import { expect, test } from '@jest/globals'
import { marginOf } from '../../src/attacks/margin.js'

// NaN here would end a search at once: nothing is greater than NaN, so no change would ever stay.
test.each([
  ['what the best other class lacks', [3, 1, 2], -1],
  ['positive when the model is fooled', [1, 3, 2], 2],
  ['−∞ where every other class is impossible', [0, -Infinity, -Infinity], -Infinity],
  ['∞ where the label is impossible', [-Infinity, 0, -1], Infinity],
  ['0 where all are impossible', [-Infinity, -Infinity, -Infinity], 0],
  ['0 where two are infinite', [Infinity, Infinity, 0], 0],
  ['blind to a class that is not a number', [3, NaN, 1], -2],
])('the margin of class 0 is %s', (_, logits, expected) => {
  expect(marginOf(Float32Array.from(logits), 0)).toBe(expected)
})
