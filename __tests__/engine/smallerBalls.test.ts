import { describe, expect, test } from '@jest/globals'
import { published } from '../../src/config/attackSchemas.js'
import type { AttackSpec } from '../../src/config/attackTypes.js'
import type { AttackPlan } from '../../src/engine/attackPlan.js'
import { evaluateImage } from '../../src/engine/image.js'
import { converse, type FakeModel } from '../attacks/support/linear.js'

const plan = (attacks: readonly AttackSpec[], epsilons: readonly number[]): AttackPlan => ({
  threats: epsilons.map((epsilon) => ({ id: `l2-${epsilon}`, norm: 'l2', epsilon })),
  attacks,
  gradient: true,
  bounds: [0, 1],
  seed: 3,
  classes: 2,
  shape: [2],
  layout: 'flat',
  preprocessing: { mean: [0], std: [1] },
  quantised: false,
})

/** Class 1 outside a circle of radius 0.25 around the middle: curved, so that no attack meets the border in one step. */
const logits = ([x, y]: Float32Array): Float32Array =>
  Float32Array.of(0, 4 * ((x - 0.5) ** 2 + (y - 0.5) ** 2 - 0.0625))
const circle: FakeModel = {
  predict: logits,
  gradient(point, loss) {
    const z = logits(point)
    const slope = loss.name === 'linear' ? loss.direction[1] : 1
    return { logits: z, value: z[1], gradient: point.map((pixel) => slope * 8 * (pixel - 0.5)) }
  },
}
/** 0.15 from the circle. */
const image = { index: 0, label: 0, pixels: Float32Array.of(0.6, 0.5) }

const minimal: readonly AttackSpec[] = [
  published('fab', { steps: 20 }),
  published('fab-t', { steps: 20 }),
  published('deepfool'),
  published('cw', { steps: 100 }),
  published('ddn', { steps: 30 }),
]

describe('several ε in one run', () => {
  test.each(minimal.map((attack) => [attack.name, attack] as const))(
    '%s answers for each ε as it would have alone, and searches once',
    (_, attack) => {
      const epsilons = [0.05, 0.1, 0.14, 0.16, 0.3]
      const { result, asked } = converse(evaluateImage(image, plan([attack], epsilons)), circle)
      const gradients = (questions: typeof asked) => questions.filter(({ kind }) => kind === 'gradient').length
      for (const epsilon of epsilons) {
        const alone = converse(evaluateImage(image, plan([attack], [epsilon])), circle)
        const id = `l2-${epsilon}`
        expect(result.outcome.threats[id]).toEqual(alone.result.outcome.threats[id])
        expect(gradients(asked)).toBe(gradients(alone.asked))
      }
      const { attacks } = result.outcome.threats['l2-0.05']
      // No closer than the circle is, which lies beyond the ball.
      expect(attacks[attack.id].nearest).toBeGreaterThan(0.15)
      expect(epsilons.map((epsilon) => result.outcome.threats[`l2-${epsilon}`].robust)).toEqual([
        true,
        true,
        true,
        false,
        false,
      ])
    },
  )

  test.each(
    [
      published('fgsm'),
      published('pgd'),
      published('bim'),
      published('mi-fgsm'),
      published('apgd'),
      published('apgd-t'),
      published('square', { queries: 100 }),
      published('noise'),
      ...minimal,
    ].map((attack) => [attack.name, attack] as const),
  )('%s, where it breaks at one ε, is not run at a larger one, and its witness stays', (_, attack) => {
    const alone = converse(evaluateImage(image, plan([attack], [0.2])), circle)
    const both = converse(evaluateImage(image, plan([attack], [0.4, 0.2])), circle)
    expect(alone.result.outcome.threats['l2-0.2'].robust).toBe(false)
    expect(both.asked).toEqual(alone.asked)
    expect(both.result.witnesses['l2-0.4']).toEqual(alone.result.witnesses['l2-0.2'])
  })

  /** Never gets anywhere. */
  const idle = (id: string, survivorsOnly: boolean): AttackSpec =>
    published('pgd', { id, stepSize: 1e-6, steps: 3, randomStart: false, survivorsOnly })

  test.each([
    ['broke', [0.2, 0.3, 0.4], published('pgd', { survivorsOnly: true })],
    // FAB's nearest point lies 0.15 away: beyond the first ball, and inside the others.
    ['will break', [0.14, 0.3, 0.4], published('fab', { steps: 20, survivorsOnly: true })],
  ] as const)(
    'attacks for survivors get no image that a later one of the suite %s, as the smallest ε has shown',
    (_, epsilons, breaking) => {
      const suite = [idle('all', false), idle('survivors', true), breaking]
      const alone = converse(evaluateImage(image, plan(suite, epsilons.slice(0, 1))), circle)
      const { result, asked } = converse(evaluateImage(image, plan(suite, epsilons)), circle)
      // What is measured on all images goes on being measured: its clean image is the one question that is not asked again.
      const all = epsilons.slice(1).map((epsilon) => {
        return converse(evaluateImage(image, plan([idle('all', false)], [epsilon])), circle).asked.length - 1
      })
      expect(asked.length).toBe(alone.asked.length + all.reduce((sum, questions) => sum + questions, 0))
      for (const epsilon of epsilons.slice(1)) {
        const { robust, attacks } = result.outcome.threats[`l2-${epsilon}`]
        expect(robust).toBe(false)
        expect(Object.keys(attacks)).toEqual(['all', breaking.id])
      }
    },
  )

  test('a nearest point is not forgotten because a later search, from other starts, found a farther one', () => {
    const restarts = published('fab', { steps: 3, restarts: 2 })
    const epsilons = [0.01, 0.02, 0.04, 0.08, 0.12]
    const { outcome } = converse(evaluateImage(image, plan([restarts], epsilons)), circle).result
    const nearest = epsilons.map((epsilon) => outcome.threats[`l2-${epsilon}`].attacks.fab.nearest ?? Infinity)
    expect(nearest).toEqual(nearest.toSorted((one, other) => other - one))
  })
})
