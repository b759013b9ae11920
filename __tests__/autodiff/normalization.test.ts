import { expect, test } from '@jest/globals'
import { differentiate, floating, numbersOf, single } from './support.js'
import type { Case } from './support.js'

async function gradientAt(
  tested: Case,
  values: readonly number[],
  seed: readonly number[],
): Promise<readonly number[]> {
  const { vjp } = await differentiate(tested)
  const at = (numbers: readonly number[]) => floating('float32', [1, ...tested.shape], numbers)
  return numbersOf(await vjp(at(values), at(seed))).map((slope) => slope + 0) // −0 is 0
}

/** A blank image has no direction and no deviation: the attack must still start from it. */
test('a vector of length 0 has the gradient 0', async () => {
  for (const p of [1, 2])
    expect(await gradientAt(single('LpNormalization', [3], { attributes: { p } }), [0, 0, 0], [1, 2, 3])).toEqual([
      0, 0, 0,
    ])
})

test('in the norm of absolute values the slope at 0 is 0', async () => {
  // y = x / (|0| + |2|): dx = (u − sign(x)·(u·y)) / 2 with u·y = 2
  expect(await gradientAt(single('LpNormalization', [2], { attributes: { p: 1 } }), [0, 2], [4, 2])).toEqual([2, 0])
})

test('a blank image keeps a finite gradient through MeanVarianceNormalization', async () => {
  const tested = single('MeanVarianceNormalization', [1, 2, 2], { attributes: { axes: [2, 3] } })
  const gradient = await gradientAt(tested, [0.5, 0.5, 0.5, 0.5], [1, 0, 0, 0])
  expect(gradient.every(Number.isFinite)).toBe(true)
  expect(Math.sign(gradient[0])).toBe(1)
  expect(gradient.slice(1).map(Math.sign)).toEqual([-1, -1, -1])
})
