import normalCdf from '@stdlib/stats-base-dists-normal-cdf'
import { describe, expect, test } from '@jest/globals'
import { differentiate, floating, numbersOf, reals, single } from './support.js'
import type { Case } from './support.js'

/** Images of 9216 numbers, as transformers have them: their gradients are made one image after the other. */
const [ROWS, WIDTH, IMAGES] = [96, 96, 3]
const SHAPE = [ROWS, WIDTH]
const dims = [IMAGES, ...SHAPE]

async function gradientOf(tested: Case, x: ReturnType<typeof reals>, u: ReturnType<typeof reals>): Promise<number[]> {
  const { vjp } = await differentiate(tested)
  return Array.from(numbersOf(await vjp(x, u)))
}

/** float32 on numbers up to 4, through functions that are right to some units in the last place: 40 × 6e−8 × 4. */
const TOLERANCE = 1e-5

const furthest = (actual: readonly number[], expected: readonly number[]): number =>
  actual.reduce((most, value, at) => Math.max(most, Math.abs(value - expected[at])), 0)

/** A transformer attacked with gradients of the wrong image would look robust. */
describe('large images, each with the gradient of its own', () => {
  const [x, u] = [reals('float32', dims, 3), reals('float32', dims, 5)]
  const [points, seeds] = [numbersOf(x), numbersOf(u)]

  test.each([
    ['none', (z: number) => normalCdf(z, 0, 1) + (z * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI)],
    [
      'tanh', // d/dz of z·(1 + tanh v)/2, v = √(2/π)·(z + 0.044715·z³)
      (z: number) => {
        const tanh = Math.tanh(Math.sqrt(2 / Math.PI) * (z + 0.044715 * z ** 3))
        const inner = Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * z ** 2)
        return (1 + tanh + z * (1 - tanh ** 2) * inner) / 2
      },
    ],
  ])('Gelu, approximate %s', async (approximate, slope) => {
    const gradient = await gradientOf(single('Gelu', SHAPE, { attributes: { approximate } }), x, u)
    const expected = points.map((z, at) => seeds[at] * slope(z))
    expect(gradient).toHaveLength(expected.length)
    expect(furthest(gradient, expected)).toBeLessThan(TOLERANCE)
  })

  test('LayerNormalization with a scale of one image', async () => {
    const scale = reals('float32', [WIDTH], 7, 0.5, 2)
    const bias = floating('float32', [WIDTH], new Float32Array(WIDTH))
    const attributes = { axis: -1, epsilon: { float: 1e-5 } }
    const tested = single('LayerNormalization', SHAPE, { constants: { scale, bias }, attributes })
    const gradient = await gradientOf(tested, x, u)
    const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / WIDTH
    // Row by row: a·(h − mean(h) − x̂·mean(h·x̂)), h = u·scale (Ba et al. 2016, differentiated)
    const expected = Array.from({ length: IMAGES * ROWS }, (_, row) => {
      const of = (values: readonly number[]): readonly number[] => values.slice(row * WIDTH, (row + 1) * WIDTH)
      const centre = mean(of(points))
      const factor = 1 / Math.sqrt(mean(of(points).map((z) => (z - centre) ** 2)) + 1e-5)
      const standard = of(points).map((z) => (z - centre) * factor)
      const scaled = of(seeds).map((value, at) => value * numbersOf(scale)[at])
      const along = mean(scaled.map((value, at) => value * standard[at]))
      return scaled.map((value, at) => factor * (value - mean(scaled) - standard[at] * along))
    }).flat()
    expect(gradient).toHaveLength(expected.length)
    expect(furthest(gradient, expected)).toBeLessThan(TOLERANCE)
  })
})
