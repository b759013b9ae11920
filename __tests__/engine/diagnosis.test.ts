import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { AttackSpec } from '../../src/config/attackTypes.js'
import type { AttackPlan } from '../../src/engine/attackPlan.js'
import { evaluateImage } from '../../src/engine/image.js'
import { otherRanges } from '../../src/engine/otherRanges.js'
import { published } from '../../src/config/attackSchemas.js'
import { binaryLinear, converse, type FakeModel } from '../attacks/support/linear.js'

const fgsm = published('fgsm')
const pgd = published('pgd', { steps: 5, randomStart: false })
const plan = (attacks: readonly AttackSpec[] = [fgsm, pgd], changes: Partial<AttackPlan> = {}): AttackPlan => ({
  threats: [{ id: 'linf-0.125', norm: 'linf', epsilon: 0.125 }],
  attacks,
  gradient: true,
  bounds: [0, 1],
  seed: 3,
  classes: 2,
  shape: [2],
  layout: 'flat',
  preprocessing: { mean: [0], std: [1] },
  quantised: false,
  ...changes,
})
const image = (first: number, label = 0) => ({ index: 4, label, pixels: Float32Array.of(first, 0.5), diagnose: true })
const signsOf = (model: FakeModel, first: number, using = plan(), label = 0): readonly string[] =>
  converse(evaluateImage(image(first, label), using), model).result.outcome.signs ?? []

/** Logits (0, z) for z as a function of the first pixel, whose slope is said to be `slope`. */
const curve = (z: (x: number) => number, slope: (x: number) => number): FakeModel => ({
  predict: ([x]) => Float32Array.of(0, z(x)),
  gradient: ([x]) => ({ logits: Float32Array.of(0, z(x)), value: z(x), gradient: Float32Array.of(slope(x), 0) }),
})

/** Class 1 from one half on. */
const threshold = binaryLinear([1, 0], -0.5)

describe('what a closer look at one image tells', () => {
  test('of a healthy model nothing: broken, barely out of reach, far away', () => {
    for (const first of [0.45, 0.36, 0.1])
      expect(signsOf(threshold, first)).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/^(unstable|more|gradient-free|robust|unbroken|right)/)]),
      )
  })

  test('outputs that change from question to question', () => {
    let asked = 0
    const drifting: FakeModel = { ...threshold, predict: ([x]) => Float32Array.of(0, x - 0.5 - 0.01 * asked++) }
    expect(signsOf(drifting, 0.1)).toContain('unstable-logits')
  })

  test('more steps, or another start, break what the suite did not: a narrow ridge between two steps of the suite', () => {
    // Steps of ε/4 from 0.4 land at 0.43125, 0.4625, 0.49375 and 0.525; the ridge lies in between.
    const ridge = curve(
      (x) => (x > 0.47 && x < 0.485 ? 1 : -1),
      () => 1,
    )
    expect(signsOf(ridge, 0.4)).toContain('more-steps')
    expect(signsOf(ridge, 0.2)).not.toContain('more-steps')
  })

  test('search breaks what gradients that point the wrong way do not', () => {
    const away = curve(
      (x) => x - 0.5,
      () => -1,
    )
    expect(signsOf(away, 0.4)).toContain('gradient-free-wins')
    // A suite that searches itself is not asked again.
    expect(signsOf(away, 0.4, plan([pgd, published('square', { queries: 10 })]))).not.toContain('gradient-free-wins')
  })

  describe('an attack for survivors has its turn all the same where search alone broke the image before', () => {
    const short = published('pgd', { id: 'short', steps: 1, relativeStepSize: 0.1, randomStart: false })
    const square = published('square', { queries: 50 })
    const later = published('pgd', { id: 'later', steps: 5, survivorsOnly: true })
    const away = curve(
      (x) => x - 0.5,
      () => -1,
    )
    const outcomeOf = (model: FakeModel, attacks: readonly AttackSpec[], epsilons = [0.125], diagnose = false) => {
      const threats = epsilons.map((epsilon) => ({ id: `linf-${epsilon}`, norm: 'linf' as const, epsilon }))
      return converse(evaluateImage({ ...image(0.4375), diagnose }, plan(attacks, { threats })), model).result.outcome
    }
    const SIGN = 'gradients-break-too'

    /** Else a healthy model is `inconclusive` because Square had its turn before the suite's strongest ascent. */
    test.each([true, false])('what it breaks is no evidence against gradients (diagnosed: %p)', (diagnose) => {
      for (const model of [threshold, away]) {
        const { threats, signs = [] } = outcomeOf(model, [short, square, later], [0.125], diagnose)
        const ends = Object.entries(threats['linf-0.125'].attacks).map(([id, { success }]) => [id, success])
        expect(ends).toEqual([
          ['short', false],
          ['square', true],
        ])
        // Where gradients point the wrong way they do not take it: that is the evidence which counts.
        expect(signs.includes(SIGN)).toBe(model === threshold)
      }
    })

    /** Else whoever masks gradients is cleared by an attack that no suite of his runs. */
    test('a suite whose attacks with gradients all had their turn gives no second chance', () => {
      expect(outcomeOf(threshold, [short, square]).signs ?? []).not.toContain(SIGN)
      expect(
        outcomeOf(threshold, [short, square, { ...square, id: 'again', survivorsOnly: true }]).signs ?? [],
      ).toEqual([])
    })

    test('one threat under which it breaks nothing is evidence enough, whatever it breaks under another', () => {
      // Steps of 0.07 / 4 from 0.4375 pass through 0.455, 0.4725 and 0.49, those of 0.125 / 4 turn back at 0.46875.
      const turning = curve(
        (x) => x - 0.5,
        (x) => (x > 0.466 && x < 0.471 ? -1 : 1),
      )
      const steps = { ...later, randomStart: false, relativeStepSize: 0.25 }
      const signs = (epsilons: number[]) => outcomeOf(turning, [short, square, steps], epsilons).signs ?? []
      expect(signs([0.07])).toContain(SIGN)
      expect(signs([0.125])).not.toContain(SIGN)
      expect(signs([0.07, 0.125])).not.toContain(SIGN)
      expect(outcomeOf(threshold, [short, square, steps], [0.07, 0.125]).signs).toContain(SIGN)
    })

    /** What an image has asked is said before an evaluation, by one that withstands all of the suite. */
    test('it asks for no more gradients than an image that withstands the suite', () => {
      const firm = curve(
        () => -1,
        () => 1,
      )
      const gradients = (model: FakeModel): number => {
        const { asked } = converse(
          evaluateImage({ ...image(0.4375), diagnose: false }, plan([short, square, later])),
          model,
        )
        return asked.filter(({ kind }) => kind === 'gradient').length
      }
      // One step, and five.
      expect([gradients(firm), gradients(away)]).toEqual([6, 6])
      expect(gradients(threshold)).toBeLessThanOrEqual(6)
    })
  })

  test('gradients find nothing in a ball that holds the grey image, which fools the model', () => {
    const grey = curve(
      (x) => (x > 0.48 && x < 0.52 ? 1 : -1),
      () => -1,
    )
    expect(signsOf(grey, 0.1)).toContain('robust-at-huge-epsilon')
    expect(signsOf(threshold, 0.1)).not.toContain('robust-at-huge-epsilon')
  })

  test('a huge ball proves nothing where the grey image fools nobody', () => {
    const never = curve(
      () => -1,
      () => 1,
    )
    expect(signsOf(never, 0.4)).not.toContain('robust-at-huge-epsilon')
  })

  test('an image that falls at ε and stands at 2ε', () => {
    // Steps of 2ε/4 from 0.4 land at 0.4625 and 0.525: beyond the ridge that steps of ε/4 find at 0.43125.
    const near = curve(
      (x) => (x > 0.42 && x < 0.45 ? 1 : -1),
      () => 1,
    )
    expect(signsOf(near, 0.4)).toContain('unbroken-at-double-epsilon')
    expect(signsOf(threshold, 0.45)).not.toContain('unbroken-at-double-epsilon')
  })

  test('an image that is wrong, and right in another range', () => {
    // Class 1 from 100 on, as of a model for pixels of 0 … 255: a white image of 0 … 1 is black to it.
    const wide = binaryLinear([1, 0], -100)
    expect(signsOf(wide, 0.9, plan(), 1)).toEqual(['right-at-0-255'])
    expect(signsOf(wide, 0.3, plan(), 1)).toEqual([])
  })

  test('without a gradient no gradient is asked for', () => {
    const square = published('square', { queries: 10 })
    const { asked } = converse(evaluateImage(image(0.4), plan([square], { gradient: false })), threshold)
    expect(asked.map(({ kind }) => kind)).not.toContain('gradient')
  })
})

test('a closer look changes no result: what is robust, what each attack found, which witness is kept', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 1), (first, label) => {
      const waves = curve(
        (x) => Math.sin(40 * x),
        (x) => 40 * Math.cos(40 * x),
      )
      const [near, alone] = [true, false].map((diagnose) => {
        const { outcome, witnesses } = converse(
          evaluateImage({ ...image(Math.fround(first), label), diagnose }, plan()),
          waves,
        ).result
        return { ...outcome, signs: undefined, witnesses }
      })
      expect(near).toEqual(alone)
    }),
  )
})

describe('other ranges are what the model would be fed, whatever preprocessing was declared', () => {
  const fed = (changes: Partial<AttackPlan>, pixels: Float32Array) => {
    const using = plan([], changes)
    const { mean, std } = using.preprocessing
    const of = (values: readonly number[], channel: number) => values[values.length === 1 ? 0 : channel]
    const ranges = otherRanges(pixels, using).map(({ sign, pixels: points }) => [
      sign,
      Array.from(points, (point, channel) => (point - of(mean, channel)) / of(std, channel)),
    ])
    return new Map(ranges as [string, number[]][])
  }

  test('by hand, for one pixel of three channels', () => {
    const rgb = { shape: [3, 1, 1], layout: 'nchw' } as const
    const grey = Float32Array.of(0.5, 0.5, 0.5)
    const plain = fed(rgb, grey)
    expect([...plain.keys()]).toEqual(['right-at-0-255', 'right-at-minus-1-1', 'right-with-imagenet'])
    expect(plain.get('right-at-0-255')).toEqual([127.5, 127.5, 127.5])
    expect(plain.get('right-at-minus-1-1')).toEqual([0, 0, 0])
    // (0.5 − 0.485) / 0.229, (0.5 − 0.456) / 0.224, (0.5 − 0.406) / 0.225
    for (const [channel, value] of [0.0655, 0.1964, 0.4178].entries())
      expect(plain.get('right-with-imagenet')?.[channel]).toBeCloseTo(value, 4)
    // With a declared mean and deviation the plain pixels are another range, too; float32 has 7 digits.
    const normalised = fed({ ...rgb, preprocessing: { mean: [0.1, 0.2, 0.3], std: [0.5] } }, grey)
    normalised.get('right-at-0-1')?.forEach((value) => expect(value).toBeCloseTo(0.5, 5))
    normalised.get('right-at-0-255')?.forEach((value) => expect(value).toBeCloseTo(127.5, 3))
  })

  test('the channel is last in NHWC, and one channel knows no ImageNet', () => {
    const nhwc = fed({ shape: [1, 1, 3], layout: 'nhwc' }, Float32Array.of(0.485, 0.456, 0.406))
    nhwc.get('right-with-imagenet')?.forEach((value) => expect(value).toBeCloseTo(0, 5))
    expect(fed({}, Float32Array.of(0.5, 0.5)).has('right-with-imagenet')).toBe(false)
  })
})
