import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { AttackName, AttackSpec } from '../../src/config/attackTypes.js'
import type { Norm } from '../../src/config/types.js'
import { predictedClass } from '../../src/attacks/losses.js'
import type { Attack, AttackResult, Question } from '../../src/attacks/protocol.js'
import { imageDigest, randomSource } from '../../src/attacks/random.js'
import { attackFor } from '../../src/attacks/registry.js'
import { threatModel } from '../../src/attacks/threat.js'
import { answerTo, type FakeModel } from './support/linear.js'
import { attacks, distance, isDefined, norms, situation, type Situation } from './support/situations.js'

const cases = Object.values(attacks).flatMap((spec) =>
  norms.filter((norm) => isDefined(spec, norm)).map((norm) => [spec.name, norm, spec] as const),
)

/** They look for the least distance, or through larger balls: what they ask about may lie beyond the ball. */
const mayLeaveBall: ReadonlySet<AttackName> = new Set(['fab', 'fab-t', 'deepfool', 'cw', 'ddn', 'apgd', 'apgd-t'])

interface Run {
  readonly result: AttackResult
  readonly asked: readonly { readonly question: Question; readonly before: Float32Array }[]
}

function start(spec: AttackSpec, norm: Norm, { image, epsilon, bounds, model, quantised, ...rest }: Situation): Attack {
  const threat = threatModel(image, { norm, epsilon }, bounds, { quantised })
  const classes = model.predict(image).length
  const target = { threat, classes, label: rest.label, shape: rest.shape, layout: rest.layout }
  return attackFor(spec, target, randomSource(5, imageDigest(image), spec.id))
}

/** One after the other in turns, as the scheduler does with the images of a batch. */
function inTurns(attacksOfImages: readonly Attack[], models: readonly FakeModel[]): readonly Run[] {
  const running = attacksOfImages.map((attack) => ({
    attack,
    next: attack.next([]),
    asked: [] as Run['asked'][number][],
  }))
  while (running.some(({ next }) => !next.done))
    for (const [i, one] of running.entries()) {
      if (one.next.done) continue
      const questions = one.next.value
      one.asked.push(...questions.map((question) => ({ question, before: question.point.slice() })))
      one.next = one.attack.next(questions.map((question) => answerTo(question, models[i])))
    }
  return running.flatMap(({ next, asked }) => (next.done ? [{ result: next.value, asked }] : []))
}

const run = (spec: AttackSpec, norm: Norm, given: Situation): Run =>
  inTurns([start(spec, norm, given)], [given.model])[0]

function isInside({ bounds }: Situation, point: Float32Array): boolean {
  return point.every((pixel) => pixel >= bounds[0] && pixel <= bounds[1])
}

function areBytes({ bounds: [low, high] }: Situation, point: Float32Array): boolean {
  const bytes = new Set(Array.from({ length: 256 }, (_, level) => Math.fround(low + ((high - low) * level) / 255)))
  return point.every((pixel) => bytes.has(pixel))
}

const few = { numRuns: 25 }

describe.each(cases)('%s under %s', (name, norm, spec) => {
  test('ends with a point of the ball, and says of it what the original says', () => {
    fc.assert(
      fc.property(situation, (given) => {
        const { result } = run(spec, norm, given)
        expect(isInside(given, result.point)).toBe(true)
        expect(distance(norm, given.image, result.point)).toBeLessThanOrEqual(given.epsilon)
        expect(result.predicted).toBe(predictedClass(given.model.predict(result.point)))
        expect(result.success).toBe(result.predicted !== given.label)
        if (given.quantised && result.success) expect(areBytes(given, result.point)).toBe(true)
      }),
      few,
    )
  })

  test('claims no nearest point that does not fool the original where it says', () => {
    fc.assert(
      fc.property(situation, (given) => {
        const { nearest, success } = run(spec, norm, given).result
        if (!nearest) return
        expect(isInside(given, nearest.point)).toBe(true)
        expect(nearest.predicted).toBe(predictedClass(given.model.predict(nearest.point)))
        expect(nearest.predicted).not.toBe(given.label)
        expect(nearest.distance).toBe(distance(norm, given.image, nearest.point))
        if (nearest.distance <= given.epsilon) expect(success).toBe(true)
      }),
      few,
    )
  })

  test('asks about pictures only, and leaves what it has asked about and its image as they are', () => {
    fc.assert(
      fc.property(situation, (given) => {
        const image = given.image.slice()
        const { asked } = run(spec, norm, given)
        expect(given.image).toEqual(image)
        for (const { question, before } of asked) {
          expect(question.point).toEqual(before)
          expect(isInside(given, before)).toBe(true)
          if (!mayLeaveBall.has(name)) expect(distance(norm, image, before)).toBeLessThanOrEqual(given.epsilon)
        }
      }),
      few,
    )
  })

  test('does the same again, alone or beside another image', () => {
    fc.assert(
      fc.property(situation, situation, (given, other) => {
        const alone = run(spec, norm, given)
        const beside = inTurns([start(spec, norm, other), start(spec, norm, given)], [other.model, given.model])[1]
        expect(beside).toEqual(alone)
      }),
      few,
    )
  })
})
