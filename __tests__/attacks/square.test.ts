import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { published } from '../../src/config/attackSchemas.js'
import type { SquareSpec } from '../../src/config/attackTypes.js'
import type { Layout, Norm } from '../../src/config/types.js'
import { imageDigest, randomSource } from '../../src/attacks/random.js'
import { attackFor } from '../../src/attacks/registry.js'
import { shareOfCells } from '../../src/attacks/square.js'
import { threatModel, type ThreatModel } from '../../src/attacks/threat.js'
import { binaryLinear, converse, type FakeModel } from './support/linear.js'

interface Aim {
  readonly image: Float32Array
  readonly norm: Norm
  readonly epsilon: number
  readonly shape?: readonly number[]
  readonly layout?: Layout
  readonly quantised?: boolean
  readonly options?: Partial<SquareSpec>
}

function run(model: FakeModel, { image, norm, epsilon, shape, layout = 'flat', quantised, options }: Aim) {
  const spec = published('square', { queries: 300, ...options })
  const threat = threatModel(image, { norm, epsilon }, [0, 1], { quantised })
  const target = { threat, label: 0, classes: 2, shape: shape ?? [image.length], layout }
  const random = randomSource(0, imageDigest(image), spec.id)
  const { result, asked } = converse(attackFor(spec, target, random), model)
  return { result, threat, kinds: new Set(asked.map(({ kind }) => kind)), points: asked.map(({ point }) => point) }
}

const grey = (pixels: number): Float32Array => new Float32Array(pixels).fill(0.5)
/** Says class 0 to everything, and less so the greater the first output. */
const stubborn = (score: (point: Float32Array) => number): FakeModel => {
  const predict = (point: Float32Array): Float32Array => Float32Array.of(100, score(point))
  return { predict, gradient: () => ({ logits: Float32Array.of(1, 0), value: 0, gradient: new Float32Array(0) }) }
}
const changed = (one: Float32Array, other: Float32Array): number[] => [...one.keys()].filter((i) => one[i] !== other[i])

describe('the share of the cells that a change covers', () => {
  // Section 4.1 of the paper: p is halved at these iterations of 10,000.
  const published = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000]

  test('is halved at the published places', () => {
    for (const [i, place] of published.entries()) {
      expect(shareOfCells(0.8, place, 10_000)).toBe(0.8 / 2 ** i)
      expect(shareOfCells(0.8, place + 1, 10_000)).toBe(0.8 / 2 ** (i + 1))
    }
    expect(shareOfCells(0.8, 0, 10_000)).toBe(0.8)
  })

  test('with another number of queries at places in proportion', () => {
    expect([5, 6, 4000, 4001].map((change) => shareOfCells(0.8, change, 5000))).toEqual([
      0.8,
      0.4,
      0.8 / 256,
      0.8 / 512,
    ])
    // With 100 queries the places are 0, 100, 200, 300, …
    expect([0, 1, 3].map((change) => shareOfCells(0.5, change, 100))).toEqual([0.5, 0.125, 0.0625])
  })
})

describe('Linf: stripes and squares (algorithm 2 of the paper)', () => {
  test('begins with vertical stripes, each channel with its own', () => {
    const [height, width] = [6, 40]
    const { points } = run(
      stubborn(() => 0),
      {
        image: grey(2 * height * width),
        norm: 'linf',
        epsilon: 0.25,
        shape: [2, height, width],
        layout: 'nchw',
        options: { queries: 1 },
      },
    )
    expect(points).toHaveLength(1)
    const [start] = points
    start.forEach((pixel, i) => expect(pixel).toBe(i % (height * width) < width ? pixel : start[i - width]))
    expect(new Set(start)).toEqual(new Set([0.25, 0.75]))
    expect([...start.subarray(0, width)]).not.toEqual([...start.subarray(height * width, height * width + width)])
  })

  test('then changes one square, in which a channel has one sign, and never asks what it knows', () => {
    const side = 10
    let best: Float32Array | undefined
    const sizes: number[] = []
    // Whatever it tries is no better: every change starts from the stripes.
    run(
      stubborn((point) => (best === undefined || best === point ? 1 : 0)),
      {
        image: grey(side * side),
        norm: 'linf',
        epsilon: 0.25,
        shape: [side, side, 1],
        layout: 'nhwc',
        options: { queries: 200 },
      },
    ).points.forEach((point, query) => {
      best ??= point
      if (query === 0) return
      const cells = changed(point, best)
      expect(cells.length).toBeGreaterThan(0)
      expect(new Set(cells.map((i) => point[i])).size).toBe(1)
      const [rows, columns] = [cells.map((i) => Math.floor(i / side)), cells.map((i) => i % side)]
      sizes.push(Math.max(...rows) - Math.min(...rows) + 1, Math.max(...columns) - Math.min(...columns) + 1)
    })
    // √(0.4 · 100) = 6.3 from the second change on (place 50), √(0.2 · 100) = 4.5 from the third on, … at last 1.
    expect(Math.max(...sizes.slice(2))).toBeLessThanOrEqual(6)
    expect(Math.max(...sizes.slice(-80))).toBe(1)
  })

  test('keeps what raises the margin, and nothing else', () => {
    const scores: number[] = []
    const goal = Float32Array.from({ length: 64 }, (_, i) => (i % 3) - 1)
    const score = (point: Float32Array): number => {
      scores.push(point.reduce((sum, pixel, i) => sum + goal[i] * pixel, 0))
      return scores[scores.length - 1]
    }
    const { points, result } = run(stubborn(score), {
      image: grey(64),
      norm: 'linf',
      epsilon: 0.25,
      shape: [1, 8, 8],
      layout: 'nchw',
    })
    let best = 0
    points.forEach((point, query) => {
      if (query === 0) return
      // A change of one square of the best point so far: √(0.8 · 64) is 7.
      expect(changed(point, points[best]).length).toBeLessThanOrEqual(49)
      if (scores[query] > scores[best]) best = query
    })
    expect(best).toBeGreaterThan(10)
    expect(result).toEqual({ success: false, predicted: 0, point: points[best] })
  })

  test('finds every adversarial example of a linear model, and no other', () => {
    // The margin can move by ε·‖w‖₁ (Hölder), in the corner that has the signs of w; single cells lead there.
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(-3, -2, -1, 1, 2, 3), { minLength: 1, maxLength: 12 }),
        fc.constantFrom(0.9, 0.99, 1.01, 1.1),
        (weights, reach) => {
          const dual = weights.reduce((sum, w) => sum + Math.abs(w), 0)
          const centre = weights.reduce((sum, w) => sum + w * 0.5, 0)
          const model = binaryLinear(weights, -reach * 0.125 * dual - centre)
          const { result } = run(model, { image: grey(weights.length), norm: 'linf', epsilon: 0.125 })
          expect(result.success).toBe(reach < 1)
        },
      ),
    )
  })
})

describe('L2 and L1: windows', () => {
  test.each(['l2', 'l1'] as const)('%s: every query spends the whole of ε', (norm) => {
    const image = grey(3 * 15 * 15)
    // Far from the bounds: under L1 all of it may come to lie on one pixel.
    const epsilon = norm === 'l2' ? 1 : 0.4
    const { points, threat } = run(
      stubborn((point) => point[0] - point[7]),
      { image, norm, epsilon, shape: [3, 15, 15], layout: 'nchw' },
    )
    for (const point of points) {
      expect(threat.distance(point)).toBeLessThanOrEqual(epsilon)
      // Rounding towards the image takes at most 2⁻²⁴ of each of 675 pixels around ½.
      expect(threat.distance(point)).toBeGreaterThan(epsilon - 675 * 2 ** -24)
    }
  })
})

/** Of one sign in each quarter of the image. */
const quarters = Array.from({ length: 64 }, (_, i) => (Math.floor(i / 8) < 4 === i % 8 < 4 ? 2 : -1))

test.each([
  ['linf', 0.25, quarters.reduce((sum, w) => sum + Math.abs(w), 0)],
  ['l2', 1, Math.hypot(...quarters)],
  ['l1', 1, 2],
] as const)('%s: below the least distance to a linear boundary nothing is claimed', (norm, epsilon, dual) => {
  const centre = quarters.reduce((sum, w) => sum + w * 0.5, 0)
  const model = binaryLinear(quarters, -1.0001 * epsilon * dual - centre)
  const aim = { image: grey(64), norm, epsilon, shape: [1, 8, 8], layout: 'nchw', options: { restarts: 2 } } as const
  const { result, points } = run(model, aim)
  expect(result.success).toBe(false)
  expect(points).toHaveLength(600)
})

describe('what it asks', () => {
  const image = grey(48)
  const common = { image, shape: [4, 4, 3], layout: 'nhwc', norm: 'linf', epsilon: 0.1 } as const

  test('is the original alone, as often as it may', () => {
    const { kinds, points } = run(
      stubborn(() => 0),
      { ...common, options: { queries: 123 } },
    )
    expect([...kinds]).toEqual(['prediction'])
    expect(points).toHaveLength(123)
  })

  test('ends with the first witness; it says which start found it', () => {
    let asked = 0
    const fooled: FakeModel = { ...stubborn(() => 0), predict: () => Float32Array.of(asked++ === 70 ? -1 : 1, 0) }
    const { result, points } = run(fooled, { ...common, options: { queries: 50, restarts: 3 } })
    expect(points).toHaveLength(71)
    expect(result).toEqual({ success: true, predicted: 1, point: points[70] })
  })

  test.each(['linf', 'l2', 'l1'] as const)('%s: in 8 bits, if only those count', (norm) => {
    const bytes = new Set(Array.from({ length: 256 }, (_, level) => Math.fround(level / 255)))
    const pixels = image.map((_, i) => Math.fround((5 * i) / 255))
    const aim = { ...common, image: pixels, norm, epsilon: norm === 'linf' ? 0.1 : 1 } as const
    for (const point of run(
      stubborn(() => 0),
      { ...aim, quantised: true },
    ).points)
      expect([...point].filter((pixel) => !bytes.has(pixel))).toEqual([])
  })

  test.each(['linf', 'l2', 'l1'] as const)(
    '%s: about images of one pixel or two, too, and where ε is nothing',
    (norm) => {
      for (const [pixels, epsilon] of [
        [1, 0.1],
        [2, 0.1],
        [9, 1e-30],
      ] as const) {
        const { points, threat } = run(
          stubborn(([first]) => first),
          { ...common, image: grey(pixels), shape: [pixels], layout: 'flat', norm, epsilon },
        )
        for (const point of points) expectInside(threat, point)
      }
    },
  )
})

function expectInside(threat: ThreatModel, point: Float32Array): void {
  expect(threat.distance(point)).toBeLessThanOrEqual(threat.epsilon)
  expect(point.every((pixel) => pixel >= threat.low && pixel <= threat.high)).toBe(true)
}
