import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { AttackSpec } from '../../src/config/attackTypes.js'
import type { Norm } from '../../src/config/types.js'
import type { AttackPlan } from '../../src/engine/attackPlan.js'
import { evaluateImage } from '../../src/engine/image.js'
import { converse } from '../attacks/support/linear.js'
import { attacks, isDefined, norms, situation, type Situation } from '../attacks/support/situations.js'

/** An image, what it is attacked with, and some ε from small to large. */
const evaluation = fc
  .record({
    given: situation,
    norm: fc.constantFrom(...norms),
    chosen: fc.subarray(Object.values(attacks), { minLength: 1, maxLength: 4 }),
    survivorsOnly: fc.boolean(),
    factors: fc.uniqueArray(fc.double({ min: 0.05, max: 4, noNaN: true }), { minLength: 2, maxLength: 4 }),
  })
  .map(({ given, norm, chosen, survivorsOnly, factors }) => ({
    given,
    norm,
    suite: chosen
      .filter((spec) => isDefined(spec, norm))
      .map((spec, place): AttackSpec => ({ ...spec, survivorsOnly: survivorsOnly && place > 0 })),
    epsilons: factors.map((factor) => factor * given.epsilon).sort((one, other) => one - other),
  }))

interface Asked {
  readonly given: Situation
  readonly norm: Norm
  readonly suite: readonly AttackSpec[]
  readonly epsilons: readonly number[]
}

function evaluate({ given, norm, suite, epsilons }: Asked, label = given.label) {
  const { model, image, shape, layout, bounds, quantised } = given
  const plan: AttackPlan = {
    threats: epsilons.map((epsilon) => ({ id: `at-${epsilon}`, norm, epsilon })),
    attacks: suite,
    gradient: true,
    bounds,
    seed: 1,
    classes: model.predict(image).length,
    shape,
    layout,
    preprocessing: { mean: [0], std: [1] },
    quantised,
  }
  const { result, asked } = converse(evaluateImage({ index: 0, label, pixels: image }, plan), model)
  return { asked, outcome: result.outcome, threats: epsilons.map((epsilon) => result.outcome.threats[`at-${epsilon}`]) }
}

const some = { numRuns: 150 }

describe('whatever the model, the image and the suite', () => {
  test('what breaks at one ε breaks at every larger one, under each attack that was run there', () => {
    fc.assert(
      fc.property(evaluation, (given) => {
        const { threats } = evaluate(given)
        for (const [i, { robust, attacks: ends }] of threats.entries())
          for (const larger of threats.slice(i + 1)) {
            if (!robust) expect(larger.robust).toBe(false)
            // Whoever gets survivors only has nothing to do there: what it says it has said at a smaller ε.
            for (const { id, survivorsOnly } of given.suite)
              if (!robust && survivorsOnly && id in larger.attacks) expect(larger.attacks[id].success).toBe(true)
            for (const [id, { success }] of Object.entries(ends))
              if (success && id in larger.attacks) expect(larger.attacks[id].success).toBe(true)
          }
      }),
      some,
    )
  })

  test('an image is robust where no attack of the suite broke it, so the worst case is no better than any of them', () => {
    fc.assert(
      fc.property(evaluation, (given) => {
        for (const { robust, attacks: ends } of evaluate(given).threats) {
          expect(robust).toBe(Object.values(ends).every(({ success }) => !success))
          // Who is left out is left out because another one has broken the image already.
          if (robust) expect(Object.keys(ends)).toEqual(given.suite.map(({ id }) => id))
        }
      }),
      some,
    )
  })

  test('a witness is no farther than ε, and the nearest point no farther than the witness', () => {
    fc.assert(
      fc.property(evaluation, (given) => {
        for (const [i, { attacks: ends }] of evaluate(given).threats.entries())
          for (const { success, distance, nearest } of Object.values(ends)) {
            expect(distance).toBeLessThanOrEqual(given.epsilons[i])
            if (success && nearest !== undefined) expect(nearest).toBeLessThanOrEqual(distance)
            if (!success && nearest !== undefined) expect(nearest).toBeGreaterThan(given.epsilons[i])
          }
      }),
      some,
    )
  })

  test('an image that the model is wrong about is not attacked', () => {
    fc.assert(
      fc.property(evaluation, (given) => {
        const { asked, outcome, threats } = evaluate(given, given.given.label === 0 ? 1 : 0)
        expect(asked.map(({ kind }) => kind)).toEqual(['prediction'])
        expect(outcome.predicted).toBe(given.given.label)
        for (const threat of threats) expect(threat).toEqual({ robust: false, attacks: {} })
      }),
      some,
    )
  })

  test('a larger ε does not ask again what a smaller one answered, and changes nothing there', () => {
    fc.assert(
      fc.property(evaluation, (given) => {
        const all = evaluate(given)
        for (let count = 1; count < given.epsilons.length; count++) {
          const smaller = evaluate({ ...given, epsilons: given.epsilons.slice(0, count) })
          expect(all.threats.slice(0, count)).toEqual(smaller.threats)
          // Once every attack has succeeded there is nothing left to ask.
          const last = smaller.threats[count - 1]
          const ended = given.suite.every(({ id }) => last.attacks[id]?.success)
          if (ended) expect(all.asked).toHaveLength(smaller.asked.length)
        }
      }),
      some,
    )
  })
})
