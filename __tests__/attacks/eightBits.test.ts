import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { eightBits } from '../../src/attacks/eightBits.js'
import { randomStream } from '../../src/attacks/random.js'
import { threatModel } from '../../src/attacks/threat.js'

const norms = ['linf', 'l2', 'l1'] as const
const ranges = [
  [0, 1],
  [0, 255],
  [-1, 1],
] as const

/** What a PNG's byte becomes in a range (src/data/pixels.ts). */
const pixelOf = (level: number, [low, high]: readonly [number, number]): number =>
  Math.fround(low + ((high - low) * level) / 255)

function distance(norm: (typeof norms)[number], image: Float32Array, point: Float32Array): number {
  const changes = Array.from(point, (value, i) => Math.abs(value - image[i]))
  if (norm === 'linf') return Math.max(...changes)
  return norm === 'l1' ? changes.reduce((a, b) => a + b, 0) : Math.sqrt(changes.reduce((a, b) => a + b * b, 0))
}

const setting = fc
  .record({
    norm: fc.constantFrom(...norms),
    range: fc.constantFrom(...ranges),
    levels: fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 30 }),
    /** In levels, of one pixel; also whole numbers of them, where the ball ends on a level. */
    reach: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.double({ min: 0.1, max: 40, noNaN: true })),
    seed: fc.tuple(fc.integer(), fc.integer(), fc.integer(), fc.integer({ min: 1 })),
  })
  .map(({ norm, range, levels, reach, seed }) => {
    const image = Float32Array.from(levels, (level) => pixelOf(level, range))
    const pixels = norm === 'linf' ? 1 : norm === 'l2' ? Math.sqrt(levels.length) : levels.length
    const epsilon = ((range[1] - range[0]) / 255) * reach * pixels
    const threat = threatModel(image, { norm, epsilon }, range, { quantised: true })
    return { norm, range, image, levels, epsilon, threat, random: randomStream(seed) }
  })

describe('a witness of 8 bits', () => {
  test('is made of bytes, lies in the ball and the bounds, and is never farther from the point than it must be', () => {
    fc.assert(
      fc.property(setting, ({ norm, range, image, epsilon, threat, random }) => {
        const point = threat.project(image.map((pixel) => pixel + (range[1] - range[0]) * (random.uniform() - 0.5)))
        const before = point.slice()
        const witness = threat.witness(point)
        const bytes = new Set(Array.from({ length: 256 }, (_, level) => pixelOf(level, range)))
        expect([...witness].filter((pixel) => !bytes.has(pixel))).toEqual([])
        expect(distance(norm, image, witness)).toBeLessThanOrEqual(epsilon)
        // The level before the nearest one at worst: less than one level and what float32 adds to it.
        const level = ((range[1] - range[0]) / 255) * (1 + 2 ** -14)
        witness.forEach((pixel, i) => expect(Math.abs(pixel - point[i])).toBeLessThan(level))
        expect(point).toEqual(before)
      }),
      { numRuns: 300 },
    )
  })

  test('a point of 8 bits is its own witness', () => {
    fc.assert(
      fc.property(setting, ({ threat, random }) => {
        const witness = threat.witness(threat.randomPoint(random))
        expect(threat.witness(witness)).toEqual(witness)
      }),
    )
  })
})

// One pixel of a range of 255 is one level: everything is a whole number.
const ball = (image: readonly number[], norm: (typeof norms)[number], epsilon: number) => {
  const pixels = Float32Array.from(image)
  return eightBits({ image: pixels, epsilon, distance: (point) => distance(norm, pixels, point) }, 0, 255)
}

describe('by hand, in levels', () => {
  test.each([
    ['each pixel goes to its nearest level', [10, 20], 'linf', 3, [12.4, 17.6], [12, 18]],
    [
      'under Linf all that would leave the ball stay on the level before',
      [10, 20],
      'linf',
      2.5,
      [12.5, 17.5],
      [12, 18],
    ],
    // Rounded: 3 + 3 + 1 > 6. Going back from 13 to 12 (it was moved by 0.4, the other by 0.3) makes 6.
    [
      'under L1 only the pixel that was moved farthest goes back',
      [10, 10, 10],
      'l1',
      6,
      [12.6, 12.7, 10.7],
      [12, 13, 11],
    ],
    ['a pixel that stays at a bound stays there', [0, 255], 'linf', 4, [0, 255], [0, 255]],
  ] as const)('%s', (_, image, norm, epsilon, point, expected) => {
    expect([...ball(image, norm, epsilon)(Float32Array.from(point))]).toEqual(expected)
  })

  test('a point beyond the ball goes to its nearest levels: an attack that comes from there has not lost its way', () => {
    expect([...ball([10, 20], 'l2', 2)(Float32Array.of(17.4, 20.6))]).toEqual([17, 21])
  })

  test('an image between two levels has only the levels that its ball holds', () => {
    // 11 is 0.3 away, 10 is 0.7 away.
    expect([...ball([10.7], 'linf', 0.5)(Float32Array.of(10.9))]).toEqual([11])
    const image = Float32Array.of(10.7)
    expect(ball([10.7], 'linf', 0.2)(Float32Array.of(10.8))).toEqual(image)
  })

  test('as many pixels stay on their nearest level as the ball holds, found in a few passes over them', () => {
    const count = 3 * 64 * 64
    const image = new Float32Array(count).fill(100)
    let passes = 0
    const rounding = eightBits(
      {
        image,
        epsilon: 0.6 * Math.sqrt(count),
        distance(point) {
          passes++
          return distance('l2', image, point)
        },
      },
      0,
      255,
    )
    const witness = rounding(image.map((pixel) => pixel + 0.6))
    expect(distance('l2', image, witness)).toBeLessThanOrEqual(0.6 * Math.sqrt(count))
    // Bisection, the two ends of it and the point itself: one pass for each pixel would make hours of a search with photos.
    expect(passes).toBeLessThanOrEqual(Math.ceil(Math.log2(count)) + 3)
    // 36 % of the pixels may be one level away (0.36 = 0.6²): as many are.
    const moved = witness.filter((pixel) => pixel === 101).length
    expect(moved).toBe(Math.floor(0.36 * count))
  })
})
