import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { SampleOutcome } from '../../src/engine/messages.js'
import { accuracyAt, curvesOf } from '../../src/evaluation/curves.js'

const ball = (norm: 'linf' | 'l2', epsilon: number) => ({ id: `${norm}-${epsilon}`, norm, epsilon })

type Attacked = SampleOutcome['threats'][string]['attacks'][string]
const broke = (distance: number, nearest?: number): Attacked => ({ success: true, predicted: 1, distance, nearest })
const held = (nearest?: number): Attacked => ({ success: false, predicted: 0, distance: 0, nearest })

/** By threat id, what its attacks ended with; undefined: the model is wrong on the clean image. */
function image(index: number, ends: Readonly<Record<string, readonly Attacked[]>> | undefined): SampleOutcome {
  const threats = Object.entries(ends ?? {}).map(([id, attacks]) => {
    const named = Object.fromEntries(attacks.map((attack, place) => [`attack-${place}`, attack]))
    return [id, { robust: attacks.every(({ success }) => !success), attacks: named }] as const
  })
  return { index, label: 0, predicted: ends ? 0 : 1, threats: Object.fromEntries(threats) }
}

describe('accuracy as a function of ε', () => {
  test('counts, for each norm, the images with no known adversarial example within ε', () => {
    // Least distances by hand: wrong; 0.1 (the nearer of two); 0.3 (beyond both balls, found by a minimal attack); none.
    const samples = [
      image(0, undefined),
      image(1, { 'l2-0.2': [broke(0.2), broke(0.15, 0.1)], 'l2-0.25': [broke(0.2)] }),
      image(2, { 'l2-0.2': [held(), held(0.3)], 'l2-0.25': [held()] }),
      image(3, { 'l2-0.2': [held()], 'l2-0.25': [held()] }),
    ]
    expect(curvesOf(samples, [ball('l2', 0.2), ball('l2', 0.25)])).toEqual({
      l2: {
        points: [
          { epsilon: 0, accuracy: 0.75 },
          { epsilon: 0.1, accuracy: 0.5 },
          { epsilon: 0.2, accuracy: 0.5 },
          { epsilon: 0.25, accuracy: 0.5 },
          { epsilon: 0.3, accuracy: 0.25 },
        ],
        fooled: 2,
        // Two of the three that are right are fooled within 0.3, one within less.
        medianDistance: 0.3,
      },
    })
  })

  test('has no median where less than half of the right images are known to be fooled', () => {
    const samples = [
      image(0, { 'l2-1': [broke(0.5, 0.5)] }),
      image(1, { 'l2-1': [held()] }),
      image(2, { 'l2-1': [held()] }),
    ]
    expect(curvesOf(samples, [ball('l2', 1)])?.l2).not.toHaveProperty('medianDistance')
    expect(curvesOf(samples.slice(0, 2), [ball('l2', 1)])?.l2?.medianDistance).toBe(0.5)
  })

  test('is given only where more than one ε says something', () => {
    const samples = [image(0, { 'linf-0.1': [broke(0.1)], 'l2-1': [broke(0.5, 0.4)] })]
    expect(curvesOf(samples, [ball('linf', 0.1)])).toBeUndefined()
    expect(Object.keys(curvesOf(samples, [ball('linf', 0.1), ball('l2', 1)]) ?? {})).toEqual(['l2'])
    expect(Object.keys(curvesOf(samples, [ball('linf', 0.1), ball('linf', 0.2)]) ?? {})).toEqual(['linf'])
  })
})

const distance = fc.double({ min: 0, max: 2, noNaN: true })
const attacked = fc.oneof(
  distance.map((far) => held(far)),
  distance.map((far) => broke(far)),
  fc.constant(held()),
)
const samples = fc
  .array(fc.option(fc.array(attacked, { minLength: 1, maxLength: 3 }), { nil: undefined }), {
    minLength: 1,
    maxLength: 300,
  })
  .map((all) => all.map((attacks, index) => image(index, attacks && { 'l2-0.5': attacks, 'l2-1': attacks })))

test('however many images: at most 100 points, never rising, exact at each, an upper bound between them', () => {
  fc.assert(
    fc.property(samples, distance, (all, anywhere) => {
      const curve = curvesOf(all, [ball('l2', 0.5), ball('l2', 1)])?.l2
      if (!curve) throw new Error('two ε were given')
      const { points } = curve
      expect(points.length).toBeLessThanOrEqual(100)
      expect(points.map(({ epsilon }) => epsilon)).toEqual(expect.arrayContaining([0, 0.5, 1]))
      // Counted anew for each ε, image by image.
      const withstanding = (epsilon: number): number =>
        all.filter(
          ({ predicted, threats }) =>
            predicted === 0 &&
            Object.values(threats['l2-0.5'].attacks).every(
              (end) => !(end.success && end.distance <= epsilon) && !((end.nearest ?? Infinity) <= epsilon),
            ),
        ).length / all.length
      for (const [place, { epsilon, accuracy }] of points.entries()) {
        expect(accuracy).toBe(withstanding(epsilon))
        if (place > 0) {
          expect(epsilon).toBeGreaterThan(points[place - 1].epsilon)
          expect(accuracy).toBeLessThanOrEqual(points[place - 1].accuracy)
        }
      }
      expect(accuracyAt(curve, anywhere)).toBeGreaterThanOrEqual(withstanding(anywhere))
    }),
    { numRuns: 50 },
  )
})
