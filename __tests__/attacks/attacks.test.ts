import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { AttackSpec, FgsmSpec, LossName, PgdSpec } from '../../src/config/attackTypes.js'
import { gradientsAt, predictionsAt, type Asking } from '../../src/attacks/protocol.js'
import { imageDigest, randomSource } from '../../src/attacks/random.js'
import { attackFor } from '../../src/attacks/registry.js'
import { threatModel } from '../../src/attacks/threat.js'
import { binaryLinear, converse, type FakeModel } from './support/linear.js'

const fgsm: FgsmSpec = { name: 'fgsm', id: 'fgsm', loss: 'cross-entropy', survivorsOnly: false }
const pgd: PgdSpec = {
  name: 'pgd',
  id: 'pgd',
  loss: 'cross-entropy',
  survivorsOnly: false,
  steps: 40,
  relativeStepSize: 0.1,
  randomStart: false,
  restarts: 1,
}

function run(
  spec: AttackSpec,
  model: FakeModel,
  image: Float32Array,
  label: number,
  threat: { norm: 'linf' | 'l2'; epsilon: number },
) {
  const ball = threatModel(image, threat, [0, 1])
  const target = { threat: ball, label, classes: 2, shape: [image.length], layout: 'flat' as const }
  return converse(attackFor(spec, target, randomSource(0, imageDigest(image), spec.id)), model)
}

const points = (asked: readonly { kind: string; point: Float32Array }[], kind: string): number[][] =>
  asked.filter((question) => question.kind === kind).map(({ point }) => [...point])

describe('on a linear classifier the best attack has a closed form', () => {
  // Away from the bounds the margin can move by ε·‖w‖₁ under Linf and by ε·‖w‖₂ under L2 (Hölder), and by no more.
  const linear = fc.record({
    weights: fc.array(fc.constantFrom(-3, -2, -1, 1, 2, 3), { minLength: 2, maxLength: 12 }),
    label: fc.constantFrom(0, 1),
    epsilon: fc.double({ min: 0.02, max: 0.2, noNaN: true }),
    /** Where the clean margin lies, as a multiple of what the attack can move it by. */
    reach: fc.double({ min: 0.1, max: 2, noNaN: true }).filter((reach) => Math.abs(reach - 1) > 1e-3),
    norm: fc.constantFrom('linf' as const, 'l2' as const),
    loss: fc.constantFrom<LossName>('cross-entropy', 'margin'),
  })

  test.each([
    ['FGSM', fgsm],
    ['PGD', pgd],
    ['PGD from a random start', { ...pgd, randomStart: true, restarts: 2 }],
  ])('%s succeeds exactly where an adversarial example exists', (_, spec) => {
    fc.assert(
      fc.property(linear, ({ weights, label, epsilon, reach, norm, loss }) => {
        const dual = norm === 'linf' ? weights.reduce((s, w) => s + Math.abs(w), 0) : Math.hypot(...weights)
        const margin = reach * epsilon * dual
        const image = new Float32Array(weights.length).fill(0.5)
        const centre = weights.reduce((sum, w) => sum + w * 0.5, 0)
        const model = binaryLinear(weights, (label === 1 ? margin : -margin) - centre)
        const { result } = run({ ...spec, loss }, model, image, label, { norm, epsilon })
        expect(result.success).toBe(reach < 1)
        expect(result.predicted).toBe(reach < 1 ? 1 - label : label)
        if (spec.name === 'fgsm') {
          const away = label === 0 ? 1 : -1
          const direction = (w: number): number => (norm === 'linf' ? Math.sign(w) : w / dual)
          result.point.forEach((pixel, i) => expect(pixel).toBeCloseTo(0.5 + away * epsilon * direction(weights[i]), 6))
        }
      }),
    )
  })
})

describe('PGD', () => {
  const image = Float32Array.of(0.5, 0.5)
  const gradients = [
    [1, -2],
    [-1, -1],
    [1, 0],
  ]
  const scripted = (fooled: { surrogate?: number[]; original?: number[] }): FakeModel => {
    let steps = 0
    let replays = 0
    return {
      gradient: () => {
        const fools = fooled.surrogate?.includes(steps) ?? false
        const gradient = Float32Array.from(gradients[steps++ % gradients.length])
        return { logits: fools ? Float32Array.of(0, 1) : Float32Array.of(1, 0), value: 0, gradient }
      },
      predict: () => (fooled.original?.includes(replays++) ? Float32Array.of(0, 1) : Float32Array.of(1, 0)),
    }
  }
  const options = { ...pgd, steps: 3, stepSize: 0.125, relativeStepSize: undefined }
  const threat = { norm: 'linf', epsilon: 0.1875 } as const
  // By hand: +(1, −1)/8; then −(1, 1)/8, where the box ends at 0.3125; then +(1, 0)/8. All exact in binary.
  const trajectory = [
    [0.5, 0.5],
    [0.625, 0.375],
    [0.5, 0.3125],
    [0.625, 0.3125],
  ]

  test('follows the trajectory calculated by hand and puts its end to the original', () => {
    const { result, asked } = run(options, scripted({}), image, 0, threat)
    expect(points(asked, 'gradient')).toEqual(trajectory.slice(0, 3))
    expect(points(asked, 'prediction')).toEqual(trajectory.slice(3))
    expect(result).toEqual({ success: false, predicted: 0, point: Float32Array.from(trajectory[3]) })
  })

  test('an iterate on the way that fools the model counts, and ends the attack', () => {
    const { result, asked } = run(options, scripted({ surrogate: [1], original: [0] }), image, 0, threat)
    expect(result).toEqual({ success: true, predicted: 1, point: Float32Array.from(trajectory[1]) })
    expect(asked.map(({ kind }) => kind)).toEqual(['gradient', 'gradient', 'prediction'])
  })

  test('the last iterate counts even if the surrogate was never asked about it', () => {
    const { result } = run(options, scripted({ original: [0] }), image, 0, threat)
    expect(result).toEqual({ success: true, predicted: 1, point: Float32Array.from(trajectory[3]) })
  })

  test('a point that fools the surrogate only is no witness: the attack goes on to one that fools the original', () => {
    const never = run(options, scripted({ surrogate: [0, 1, 2] }), image, 0, threat)
    expect(never.result).toMatchObject({ success: false, predicted: 0 })
    expect(points(never.asked, 'gradient')).toEqual(trajectory.slice(0, 3))
    expect(points(never.asked, 'prediction')).toEqual(trajectory)

    const third = run(options, scripted({ surrogate: [0, 1, 2], original: [2] }), image, 0, threat)
    expect(third.result).toEqual({ success: true, predicted: 1, point: Float32Array.from(trajectory[2]) })
  })

  test('restarts until one succeeds, each from a start of its own', () => {
    const restarted = { ...options, randomStart: true, restarts: 4 }
    const { result, asked } = run(restarted, scripted({ original: [1] }), image, 0, threat)
    expect(result.success).toBe(true)
    expect(points(asked, 'gradient')).toHaveLength(6)
    const starts = points(asked, 'gradient').filter((_, i) => i % 3 === 0)
    expect(starts[0]).not.toEqual(starts[1])
    expect(starts[0]).not.toEqual([...image])

    const failed = run(restarted, scripted({}), image, 0, threat)
    expect(failed.result.success).toBe(false)
    expect(points(failed.asked, 'gradient')).toHaveLength(12)
  })

  test('a step size as a fraction of ε is that fraction', () => {
    const { asked } = run({ ...pgd, steps: 1, relativeStepSize: 0.5 }, scripted({}), image, 0, {
      norm: 'linf',
      epsilon: 0.25,
    })
    expect(points(asked, 'prediction')).toEqual([[0.625, 0.375]])
  })
})

test('several questions at once are answered in their order', () => {
  function* several(): Asking<unknown> {
    const [a, b] = yield* predictionsAt([Float32Array.of(0), Float32Array.of(1)])
    const [c, d] = yield* gradientsAt([
      { point: Float32Array.of(0.25), loss: { name: 'margin', label: 0 } },
      { point: Float32Array.of(0.75), loss: { name: 'margin', label: 1 } },
    ])
    return [a.predicted, b.predicted, c.value, d.value]
  }
  // z = 2x − 1: class 0 at 0, class 1 at 1; margins z and −z.
  expect(converse(several(), binaryLinear([2], -1)).result).toEqual([0, 1, -0.5, -0.5])
})
