import { describe, expect, test } from '@jest/globals'
import type { Random } from '../../src/attacks/random.js'
import { MEASURES, signedBump } from '../../src/attacks/squareBumps.js'

describe('L2 and L1: bumps (section 3.3 of the paper)', () => {
  const never: Random = { uniform: () => 0, gaussian: () => 0 }
  const rows = (values: Float64Array, columns: number): number[][] =>
    Array.from({ length: values.length / columns }, (_, r) => [...values.subarray(r * columns, (r + 1) * columns)])
  const expectRows = (values: number[][], expected: readonly (readonly number[])[]): void =>
    values.forEach((row, r) => row.forEach((value, c) => expect(value).toBeCloseTo(expected[r][c], 6)))

  test('have the values that the authors calculate', () => {
    // SquareAttack.eta of the authors' AutoAttack, printed with six digits.
    expectRows(rows(signedBump(3, 3, MEASURES.l2, never), 3), [
      [0.136083, 0.680414, 0.136083],
      [-0.129099, -0.129099, -0.129099],
      [-0.129099, -0.645497, -0.129099],
    ])
    expectRows(rows(signedBump(5, 5, MEASURES.l2, never), 5), [
      [0.049162, 0.159777, 0.159777, 0.159777, 0.049162],
      [0.049162, 0.159777, 0.602237, 0.159777, 0.049162],
      [-0.04559, -0.148168, -0.148168, -0.148168, -0.04559],
      [-0.04559, -0.148168, -0.558479, -0.148168, -0.04559],
      [-0.04559, -0.148168, -0.148168, -0.148168, -0.04559],
    ])
    expectRows(rows(signedBump(3, 3, MEASURES.l1, { ...never, uniform: () => 0.75 }), 3), [
      [0.026316, -0.022727, -0.022727],
      [0.447368, -0.022727, -0.386364],
      [0.026316, -0.022727, -0.022727],
    ])
  })

  test('in a run its first half goes up and its second down', () => {
    // By hand: one ring around a middle of 5/4 of each half of two cells; (¼ + …): 1/4, 5/4 | 1/4, 5/4; each of norm 1.
    const [a, b] = [0.25, 1.25].map((value) => value / Math.hypot(0.25, 1.25) / Math.SQRT2)
    expectRows([[...signedBump(1, 4, MEASURES.l2, never)]], [[a, b, -a, -b]])
    expect([...signedBump(1, 1, MEASURES.l2, never)].map(Math.abs)).toEqual([1])
  })
})
