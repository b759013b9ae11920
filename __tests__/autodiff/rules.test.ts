import { describe, expect, test } from '@jest/globals'
import { EXPANSIONS } from '../../src/autodiff/expansions/index.js'
import { REWRITTEN } from '../../src/autodiff/operatorTable.js'
import { operatorOf } from '../../src/onnx/attributes.js'
import { RULES } from '../../src/autodiff/rules/index.js'
import type { Tensor } from '../../src/onnx/graph.js'
import { CASES, LINEAR, POINTWISE, SMOOTH } from './cases/index.js'
import { count, differentiate, floating, inner, numbersOf, reals, smallIntegers } from './support.js'
import type { Case } from './support.js'

const batches = (tested: Case): readonly number[] => (tested.batch === undefined ? [1, 3] : [tested.batch])

test('every operator in the table has a case', () => {
  const covered = new Set(CASES.flatMap(({ nodes }) => nodes.map(operatorOf)))
  const table = [...RULES.keys(), ...EXPANSIONS.keys(), ...Object.keys(REWRITTEN)]
  expect(table.filter((operator) => !covered.has(operator))).toEqual([])
})

/** ⟨f(x) − f(0), u⟩ = ⟨x, fᵀu⟩ for affine f; every sum here is of small integers or eighths, exact in float32. */
describe('adjoint, exact', () => {
  test.each(LINEAR.map((tested) => [tested.name, tested] as const))('%s', async (_name, tested) => {
    const { forward, vjp } = await differentiate(tested)
    for (const rows of batches(tested)) {
      const x = smallIntegers(tested.type, [rows, ...tested.shape], 11 + rows)
      const y = await forward(x)
      const offset = await forward(floating(tested.type, x.dims, new Float64Array(count(x.dims))))
      const u = { ...smallIntegers('float32', y.dims, 17), type: y.type }
      const seed: Tensor = y.type === 'float64' ? floating('float64', u.dims, numbersOf(u)) : u
      const gradient = await vjp(x, seed)
      expect(gradient.dims).toEqual(x.dims)
      // An all-zero answer would satisfy nothing here: u and x are not zero.
      expect(inner(gradient, x)).toBe(inner(y, seed) - inner(offset, seed))
      for (let at = 0; at < Math.min(5, count(x.dims)); at++) {
        const one = new Float64Array(count(x.dims))
        one[at] = 1
        const moved = await forward(floating(tested.type, x.dims, one))
        expect(numbersOf(gradient)[at] + 0).toBe(inner(moved, seed) - inner(offset, seed) + 0) // −0 is 0
      }
    }
  })
})

/**
 * Central differences in float64 with h = 1e−5: the formula's own error is h²·f‴/6 ≈ 1e−10, rounding 1e−16/h ≈ 1e−11, both
 * times the few summands of an output; 1e−7 is two orders above and far below any wrong term.
 */
describe('central differences in float64', () => {
  test.each(SMOOTH.map((tested) => [tested.name, tested] as const))('%s', async (_name, tested) => {
    const { forward, vjp } = await differentiate(tested)
    for (const rows of batches(tested)) {
      const x = reals('float64', [rows, ...tested.shape], 23)
      const u = reals('float64', (await forward(x)).dims, 29)
      const gradient = numbersOf(await vjp(x, u))
      const values = numbersOf(x)
      for (let at = 0; at < values.length; at++) {
        const shifted = async (h: number): Promise<number> =>
          inner(
            await forward(
              floating(
                'float64',
                x.dims,
                values.map((value, place) => value + (place === at ? h : 0)),
              ),
            ),
            u,
          )
        const difference = ((await shifted(1e-5)) - (await shifted(-1e-5))) / 2e-5
        expect(Math.abs(gradient[at] - difference)).toBeLessThan(1e-7 * Math.max(1, Math.abs(difference)))
      }
    }
  })
})

/**
 * float32 kernels: the derivative of the double function, but for the roundings on the way, which errorBound adds up number by
 * number. The reference itself is a central difference in double, off by 1e−10 at most (see above). Of Tan, Celu, Mish, Gelu by
 * tanh and QuickGelu a gradient may be more than 2e−6 off, for it is made of several products with numbers larger than 1; of
 * none 1e−5, where a bound would begin to let wrong terms pass.
 */
describe('the function itself in double', () => {
  test.each(POINTWISE.map(({ tested, reference }) => [tested.name, tested, reference] as const))(
    '%s',
    async (_name, tested, reference) => {
      const { forward, vjp, within } = await differentiate(tested)
      for (const rows of batches(tested)) {
        const x = reals('float32', [rows, ...tested.shape], 31, -2.9, 2.9)
        const y = numbersOf(await forward(x))
        const u = reals('float32', x.dims, 37)
        const gradient = numbersOf(await vjp(x, u))
        const slope = (value: number): number => (reference(value + 1e-5) - reference(value - 1e-5)) / 2e-5
        const values = numbersOf(x)
        const expected = values.map((value, at) => numbersOf(u)[at] * slope(value))
        const [offForward, offGradient] = [await within.forward(x), await within.vjp(x, u)]
        expect(Math.max(...offForward, ...offGradient)).toBeLessThan(1e-5)
        values.forEach((value, at) => {
          expect(Math.abs(y[at] - reference(value))).toBeLessThan(offForward[at] + 1e-10)
          expect(Math.abs(gradient[at] - expected[at])).toBeLessThan(offGradient[at] + 1e-10)
        })
      }
    },
  )
})
