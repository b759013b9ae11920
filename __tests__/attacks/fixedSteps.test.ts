import { describe, expect, test } from '@jest/globals'
import { published } from '../../src/config/attackSchemas.js'
import type { AttackSpec } from '../../src/config/attackTypes.js'
import type { Norm } from '../../src/config/types.js'
import { imageDigest, randomSource } from '../../src/attacks/random.js'
import { attackFor } from '../../src/attacks/registry.js'
import { stillRising } from '../../src/attacks/rising.js'
import { threatModel } from '../../src/attacks/threat.js'
import { converse, type FakeModel } from './support/linear.js'

const image = Float32Array.of(0.5, 0.5)

interface Script {
  readonly gradients: readonly (readonly number[])[]
  readonly losses?: readonly number[]
  /** Which of the points put to the original fools it. */
  readonly fooledAt?: number
  readonly surrogateFooled?: boolean
}

function run(spec: AttackSpec, script: Script, { norm = 'linf', epsilon = 0.375 }: { norm?: Norm; epsilon?: number }) {
  let asked = 0
  let replays = 0
  const [right, wrong] = [Float32Array.of(1, 0), Float32Array.of(0, 1)]
  const model: FakeModel = {
    gradient() {
      const gradient = Float32Array.from(script.gradients[asked % script.gradients.length])
      const value = script.losses?.[asked] ?? 0
      asked++
      return { logits: script.surrogateFooled ? wrong : right, value, gradient }
    },
    predict: () => (replays++ === script.fooledAt ? wrong : right),
  }
  const threat = threatModel(image, { norm, epsilon }, [0, 1])
  const target = { threat, label: 0, classes: 2, shape: [2], layout: 'flat' as const }
  const { result, asked: questions } = converse(
    attackFor(spec, target, randomSource(0, imageDigest(image), 'x')),
    model,
  )
  return { result, points: [...questions.map(({ point }) => [...point])] }
}

describe('MI-FGSM', () => {
  const spec = published('mi-fgsm', { steps: 3 })
  // Divided by their L1 norms: (¾, −¼), (−½, −½), nothing. Sums with μ = 1: (¾, −¼), (¼, −¾), (¼, −¾).
  const gradients = [
    [3, -1],
    [-100, -100],
    [0, 0],
  ]

  test('follows the signs of the gathered gradients, each divided by its L1 norm, in steps of ε/T', () => {
    expect(run(spec, { gradients }, {}).points).toEqual([
      [0.5, 0.5],
      [0.625, 0.375],
      [0.75, 0.25],
      [0.875, 0.125],
    ])
  })

  test('with decay ½ the first gradient counts half at the second step and a quarter at the third', () => {
    // (¾, −¼); (⅜ − ½, −⅛ − ½) = (−⅛, −⅝); half of it.
    expect(run({ ...spec, decay: 0.5 } as AttackSpec, { gradients }, {}).points.slice(2)).toEqual([
      [0.5, 0.25],
      [0.375, 0.125],
    ])
  })

  test('under L2 it goes along the gathered gradient', () => {
    const [, next] = run(
      published('mi-fgsm', { steps: 2 }),
      { gradients: [[3, 4]] },
      { norm: 'l2', epsilon: 0.25 },
    ).points
    // ε/T = ⅛ along (0.6, 0.8); the ball rounds towards the image by one float32 at most, 2⁻²⁴ here.
    expect(next[0]).toBeCloseTo(0.575, 6)
    expect(next[1]).toBeCloseTo(0.6, 6)
  })

  test('a gradient of NaN or infinity spoils nothing that was gathered before', () => {
    const broken = [
      [3, -1],
      [NaN, -1],
      [Infinity, NaN],
    ]
    expect(run(spec, { gradients: broken }, {}).points.at(-1)).toEqual([0.875, 0.125])
  })
})

describe('BIM', () => {
  test('is PGD from the image itself', () => {
    const script: Script = {
      gradients: [
        [1, -2],
        [-1, -1],
        [1, 0],
      ],
    }
    const bim = published('bim', { steps: 7, stepSize: 0.0625 })
    const pgd = published('pgd', { steps: 7, stepSize: 0.0625, randomStart: false })
    expect(run(bim, script, {})).toEqual(run(pgd, script, {}))
    expect(run(bim, script, {}).points[0]).toEqual([0.5, 0.5])
  })
})

describe('PGD tells of a search that was too short', () => {
  const spec = published('pgd', { steps: 10, randomStart: false })
  const rising = (losses: readonly number[], fooledAt?: number) =>
    run(spec, { gradients: [[1, 1]], losses, fooledAt }, {}).result.rising

  test('the loss of a robust image still rose', () => {
    expect(rising([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])).toBe(true)
    expect(rising([0, 4, 6, 7, 8, 8, 8, 8, 8, 8])).toBeUndefined()
  })

  test('a broken image needs no more steps', () => {
    expect(rising([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 0)).toBeUndefined()
  })

  test('other starts follow until one finds a witness', () => {
    const restarted = published('pgd', { steps: 2, restarts: 5 })
    const script = { gradients: [[1, 1]], surrogateFooled: false }
    // Three points a start: gradients at two, and the last is put to the original, which is fooled by the third.
    const third = run(restarted, { ...script, fooledAt: 2 }, {})
    expect(third.result.success).toBe(true)
    expect(third.points).toHaveLength(9)
    expect(new Set(third.points.map(String)).size).toBe(9)
    const none = run(restarted, script, {})
    expect(none.result.success).toBe(false)
    expect(none.points).toHaveLength(15)
  })
})

describe('a loss is still rising', () => {
  const steps = (loss: (t: number) => number, count = 100) => Array.from({ length: count }, (_, t) => loss(t))

  test.each([
    ['in a straight line', steps((t) => t), true],
    ['as the square root does', steps((t) => Math.sqrt(t)), true],
    // 1 − e^(−5) of the rise is over by the end, and of its last tenth's 0.4 % is left; half of a steady rise is 5 %.
    ['no more, once it has settled', steps((t) => 1 - Math.exp(-t / 20)), false],
    ['no more, if it swings without getting higher', steps((t) => (t < 50 ? t : 50 - (t % 2))), false],
    ['not while it falls', steps((t) => -t), false],
    ['not at a plateau', steps(() => 2), false],
    ['not if it is NaN', steps(() => NaN), false],
    ['not if it is infinite', steps((t) => (t < 95 ? t : Infinity)), false],
    ['not known of one step', [1], false],
    ['not known of none', [], false],
    ['after two steps, the second of them higher', [1, 2], true],
  ])('%s', (_, losses, expected) => {
    expect(stillRising(losses)).toBe(expected)
  })
})
