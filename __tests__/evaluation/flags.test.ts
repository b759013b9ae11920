import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { FLAGS, meansMasked } from '../../src/engine/flagTable.js'
import type { AttackOutcome, Flag, SampleOutcome } from '../../src/engine/messages.js'
import { SIGNS, type Sign } from '../../src/engine/signs.js'
import { DIAGNOSED, imagesToDiagnose } from '../../src/evaluation/diagnosed.js'
import { allFlags } from '../../src/evaluation/flags.js'
import { ramp } from './support.js'

const SUITE = ['fgsm', 'pgd', 'apgd', 'fab', 'square', 'noise'].map((name) => ({ id: name, name }))

/** Images of ten classes in turn that are right and diagnosed; `change` says what one shows. */
function images(count: number, change: (index: number) => Partial<SampleOutcome> = () => ({})): SampleOutcome[] {
  return Array.from({ length: count }, (_, index) => ({
    index,
    label: index % 10,
    predicted: index % 10,
    threats: { 'linf-0.1': { robust: true, attacks: {} } },
    diagnosed: true,
    ...change(index),
  }))
}

/** The first so many images show a sign. */
const showing = (count: number, ...signs: Sign[]) => images(100, (index) => (index < count ? { signs } : {}))

const attack = (success: boolean): AttackOutcome => ({ success, predicted: 0, distance: 0.1 })

/** The first so many images end like this. */
const ending = (count: number, outcomes: Readonly<Record<string, boolean>>) =>
  images(100, (index) => {
    if (index >= count) return {}
    const attacks = Object.fromEntries(Object.entries(outcomes).map(([id, success]) => [id, attack(success)]))
    return { threats: { 'linf-0.1': { robust: !Object.values(outcomes).includes(true), attacks } } }
  })

const codesOf = (samples: readonly SampleOutcome[], ofModel: readonly Flag[] = [], attacks = SUITE) =>
  allFlags(ofModel, samples, attacks).map(({ code }) => code)

/** Too soon, and a healthy model is called faulty; too late, and an untested one passes for robust. */
describe('signs become flags', () => {
  test.each<[Sign, string, least: number]>([
    ['no-prediction', 'no-prediction', 1],
    ['no-gradient', 'no-gradient', 1],
    ['non-finite-gradient', 'non-finite-gradient', 1],
    ['unstable-logits', 'unstable-logits', 1],
    ['more-steps', 'more-steps', 5],
    ['robust-at-huge-epsilon', 'robust-at-huge-epsilon', 5],
    ['unbroken-at-double-epsilon', 'accuracy-rises', 5],
    ['probability-logits', 'probability-logits', 90],
    ['narrow-pixels', 'narrow-range', 90],
  ])('%s as %s from %i of 100 images on', (sign, code, least) => {
    const [flag] = allFlags([], showing(least, sign), SUITE)
    expect(flag).toMatchObject({ code, samples: Array.from({ length: least }, (_, index) => index) })
    expect(flag.message).toMatch(new RegExp(`\\b${least} of 100 images\\b.*[:.]`))
    if (least > 1) expect(codesOf(showing(least - 1, sign))).toEqual([])
  })

  test('a loss that rises late is told of where more steps broke an image: a short suite is no fault of the model', () => {
    const rising = (count: number, also: Sign[]) =>
      images(100, (index) => (index < count ? { signs: index === 0 ? ['loss-rising', ...also] : ['loss-rising'] } : {}))
    expect(codesOf(rising(50, []))).toEqual([])
    expect(codesOf(rising(50, ['more-steps']))).toEqual(['loss-rising'])
    expect(codesOf(rising(49, ['more-steps']))).toEqual([])
  })

  test('what search without gradients breaks, and more steps along them, too, is not masked', () => {
    expect(codesOf(showing(5, 'gradient-free-wins'))).toEqual(['masked-gradients'])
    expect(codesOf(showing(5, 'gradient-free-wins', 'more-steps'))).toEqual(['more-steps'])
  })

  test('from three images on, where one in twenty would be fewer', () => {
    const few = (count: number) => images(20, (index) => (index < count ? { signs: ['more-steps'] } : {}))
    expect(codesOf(few(2))).toEqual([])
    expect(codesOf(few(3))).toEqual(['more-steps'])
  })

  test('images that were not diagnosed are not counted with those that were', () => {
    const half = showing(3, 'more-steps').map((sample) =>
      sample.index < 50 ? sample : { ...sample, diagnosed: undefined },
    )
    expect(codesOf(half)).toEqual(['more-steps'])
  })

  test('gradients that told nothing on one image in twenty are masked, and no other flag says it again', () => {
    expect(codesOf(showing(4, 'no-gradient'))).toEqual(['no-gradient'])
    const signs: Sign[] = ['no-gradient', 'non-finite-gradient', 'gradient-free-wins', 'robust-at-huge-epsilon']
    expect(codesOf(showing(5, ...signs))).toEqual(['no-gradient', 'masked-gradients'])
  })
})

describe('what attacks did becomes flags', () => {
  test('search broke what gradients did not: masked', () => {
    expect(codesOf(ending(5, { pgd: false, fab: false, square: true }))).toEqual(['masked-gradients'])
    expect(codesOf(ending(5, { apgd: false, noise: true }))).toEqual(['masked-gradients'])
    expect(codesOf(ending(4, { pgd: false, square: true }))).toEqual([])
    expect(codesOf(ending(50, { pgd: false, fab: true, square: true }))).toEqual([])
    const secondChance = (count: number): SampleOutcome[] =>
      ending(9, { pgd: false, square: true }).map((sample, index) =>
        index < count ? { ...sample, signs: ['gradients-break-too'] } : sample,
      )
    expect(codesOf(secondChance(4))).toEqual(['masked-gradients'])
    expect(codesOf(secondChance(5))).toEqual([])
    // Without attacks to be compared with nothing is known.
    expect(codesOf(ending(50, { square: true }))).toEqual([])
  })

  test('one step broke what many did not', () => {
    expect(codesOf(ending(5, { fgsm: true, pgd: false, apgd: false }))).toEqual(['single-step-wins'])
    expect(codesOf(ending(4, { fgsm: true, pgd: false }))).toEqual([])
    expect(codesOf(ending(50, { fgsm: true, pgd: false, apgd: true }))).toEqual([])
    expect(codesOf(ending(50, { fgsm: true, fab: false }))).toEqual([])
  })

  test('under the same threat, not under another one', () => {
    const threat = (one: string, success: boolean) => ({ robust: !success, attacks: { [one]: attack(success) } })
    const apart = images(100, () => ({ threats: { a: threat('fgsm', true), b: threat('pgd', false) } }))
    expect(codesOf(apart)).toEqual([])
  })
})

test('a model that draws numbers is lucky now and then, which proves nothing', () => {
  const signs: Sign[] = ['gradient-free-wins', 'loss-rising', 'more-steps', 'unbroken-at-double-epsilon']
  const lucky = showing(60, ...signs, 'unstable-logits')
  expect(codesOf(lucky, [{ code: 'randomness', message: 'draws' }])).toEqual(['randomness'])
  expect(codesOf(lucky)).toEqual(['unstable-logits'])
  // Numbers that move no answer give nobody luck.
  const masked = showing(60, 'gradient-free-wins')
  expect(codesOf(masked, [{ code: 'randomness', message: 'draws' }])).toEqual(['randomness', 'masked-gradients'])
  expect(codesOf(showing(60, ...signs, 'no-gradient', 'unstable-logits'))).toContain('masked-gradients')
})

/** A reader of the report wants to see an image on which it happens. */
test('a model that changes its mind is shown by the images that got another answer when they were asked about again', () => {
  const samples = showing(3, 'unstable-logits')
  for (const code of ['randomness', 'batch-dependent'])
    expect(allFlags([{ code, message: 'found' }], samples, SUITE)).toEqual([
      { code, message: 'found', samples: [0, 1, 2] },
    ])
  expect(allFlags([{ code: 'randomness', message: 'found' }], showing(0), SUITE)).toEqual([
    { code: 'randomness', message: 'found' },
  ])
  // Each shard names its own: those of the whole are those of its images.
  const parts = [samples.slice(0, 2), samples.slice(2)].flatMap((part) =>
    allFlags([{ code: 'randomness', message: 'found' }], part, SUITE),
  )
  expect(allFlags(parts, samples, SUITE)).toEqual([{ code: 'randomness', message: 'found', samples: [0, 1, 2] }])
})

test('a loss that moves in steps rises late by accident, which is no flag', () => {
  const stepped = [{ code: 'straight-through', message: 'Round' }]
  expect(codesOf(showing(80, 'loss-rising'), stepped)).toEqual(['straight-through'])
  expect(codesOf(showing(80, 'loss-rising', 'more-steps'), stepped)).toEqual(['straight-through', 'more-steps'])
})

describe('data that do not fit the model', () => {
  const predicting = (of: (label: number, index: number) => number) =>
    images(40, (index) => ({ predicted: of(index % 10, index) }))

  test('labels shifted by one', () => {
    expect(
      allFlags(
        [],
        predicting((label) => Math.min(9, label + 1)),
        SUITE,
      )[0],
    ).toMatchObject({
      code: 'label-shift',
      message: expect.stringContaining('the label plus 1 on 36 of 40 images, and the label on 4'),
    })
    expect(codesOf(predicting((label) => Math.max(0, label - 1)))).toEqual(['label-shift'])
    expect(codesOf(predicting((label, index) => (index % 3 === 0 ? label : (label + 1) % 10)))).toEqual([])
    expect(codesOf(predicting((label) => (label + 5) % 10))).toEqual([])
  })

  test('labels that count the classes of the data, where the model has more', () => {
    // Three classes that are 207, 210 and 213 to the model; of 40 images it takes `wrong` for another one of the three.
    const subset = (right: number) =>
      images(40, (index) => {
        const label = index % 3
        return { label, predicted: index < right ? label : 207 + 3 * label }
      })
    expect(allFlags([], subset(0), SUITE)).toEqual([
      expect.objectContaining({
        code: 'label-range',
        message: expect.stringContaining('beyond every label (2 at most) on 40 of 40 images, and the label on 0'),
      }),
    ])
    expect(codesOf(subset(10))).toEqual(['label-range'])
    expect(codesOf(subset(11))).toEqual([])
    // One class alone says nothing about how the others are numbered.
    expect(codesOf(images(40, () => ({ label: 0, predicted: 5 })))).toEqual([])
  })

  test('two classes taken for one another are no shift', () => {
    const swapped = images(40, (index) => ({ label: index % 2, predicted: 1 - (index % 2) }))
    expect(codesOf(swapped)).toEqual([])
  })

  /** Of 40 diagnosed images `wrong` are misclassified, of which `right` would be right in another range. */
  const ranged = (wrong: number, right: number) =>
    images(40, (index) =>
      index < wrong ? { predicted: (index + 5) % 10, ...(index < right && { signs: ['right-at-0-255'] }) } : {},
    )

  test('pixels of another range, which must explain half of at least ten errors in thirty', () => {
    expect(allFlags([], ranged(30, 15), SUITE)[0]).toMatchObject({
      code: 'wrong-range',
      message: expect.stringContaining('right on 15 when it is fed pixels of 0 … 255'),
      samples: Array.from({ length: 15 }, (_, index) => index),
    })
    expect(codesOf(ranged(30, 14))).toEqual([])
    expect(codesOf(ranged(13, 13))).toEqual([])
    expect(codesOf(ranged(14, 14))).toEqual(['wrong-range'])
  })
})

/** Else a matrix of jobs, or another order of files, would give another verdict. */
test('flags depend on no order, and those that shards raised are raised anew for the whole', () => {
  const sample = fc.record({
    predicted: fc.constantFrom(0, 0, 0, 1),
    diagnosed: fc.constantFrom(true as const, undefined),
    signs: fc.subarray([...SIGNS], { minLength: 1 }),
    success: fc.record({ fgsm: fc.boolean(), pgd: fc.boolean(), square: fc.boolean() }),
  })
  fc.assert(
    fc.property(fc.array(sample, { minLength: 4, maxLength: 40 }), fc.gen(), (drawn, gen) => {
      const samples = drawn.map(({ success, ...rest }, index): SampleOutcome => {
        const attacks = Object.fromEntries(Object.entries(success).map(([id, won]) => [id, attack(won)]))
        return { index, label: 0, threats: { a: { robust: false, attacks } }, ...rest }
      })
      const ofModel = [{ code: 'straight-through', message: 'Round' }]
      const whole = allFlags(ofModel, samples, SUITE)
      const shuffled = gen(() => fc.shuffledSubarray(samples, { minLength: samples.length }))
      expect(allFlags(ofModel, shuffled, SUITE)).toEqual(whole)
      const cut = gen(() => fc.nat({ max: samples.length }))
      const shards = [samples.slice(0, cut), samples.slice(cut)].flatMap((part) => allFlags(ofModel, part, SUITE))
      expect(allFlags(shards, samples, SUITE)).toEqual(whole)
    }),
  )
})

test('what means masked is what the table says, and nothing a stranger may write', () => {
  const masked = Object.keys(FLAGS).filter((code) => meansMasked({ code }))
  expect(masked.toSorted()).toEqual([
    'accuracy-rises',
    'masked-gradients',
    'no-gradient-rule',
    'robust-at-huge-epsilon',
    'single-step-wins',
  ])
  expect(meansMasked({ code: 'constructor' })).toBe(false)
})

describe('the images that are looked at more closely', () => {
  test('are all of a few, and of many the same in any order', () => {
    expect(imagesToDiagnose(ramp(DIAGNOSED)).size).toBe(DIAGNOSED)
    const data = ramp(80)
    const chosen = imagesToDiagnose(data)
    expect(chosen.size).toBe(DIAGNOSED)
    const reversed = { ...data, pixels: data.pixels.slice() }
    for (let index = 0; index < 80; index++)
      reversed.pixels.set(data.pixels.subarray(2 * (79 - index), 2 * (80 - index)), 2 * index)
    expect([...imagesToDiagnose(reversed)].map((index) => 79 - index).toSorted((a, b) => a - b)).toEqual(
      [...chosen].toSorted((a, b) => a - b),
    )
  })

  test('of equal images all or none', () => {
    const data = { ...ramp(120), pixels: Float32Array.from({ length: 240 }, (_, at) => Math.floor(at / 4) / 60) }
    const chosen = imagesToDiagnose(data)
    for (let pair = 0; pair < 60; pair++) expect(chosen.has(2 * pair)).toBe(chosen.has(2 * pair + 1))
  })
})
