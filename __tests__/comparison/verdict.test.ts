import { describe, expect, test } from '@jest/globals'
import { compare } from '../../src/comparison/compare.js'
import type { Policy } from '../../src/config/types.js'
import { fates, handmadeBaseline, handmadeResults, POLICY } from './handmade.js'

const judged = (
  candidate: string | string[],
  baseline: string | string[] | undefined,
  policy: Partial<Policy> = {},
  options: Parameters<typeof compare>[3] = {},
) =>
  compare(
    handmadeResults(candidate),
    baseline === undefined ? undefined : handmadeBaseline(baseline),
    { ...POLICY, ...policy },
    options,
  ).verdict

const codes = ({ reasons }: ReturnType<typeof judged>) => reasons.map(({ code }) => code)
const MASKED = [{ code: 'masked-gradients', message: '12 images' }]

describe('regression', () => {
  test('a proven drop beyond what is allowed blocks, and says how much', () => {
    const verdict = judged(fates('R', 18, 'p', 400, 'w', 82), fates('R', 364, 'p', 54, 'w', 82))
    expect(verdict).toMatchObject({ outcome: 'regression', fails: true, baseline: 'present' })
    expect(verdict.reasons).toEqual([
      {
        code: 'robust-drop',
        // 364 / 500 = 72.8 %, 18 / 500 = 3.6 %, 346 / 500 = 69.2 points.
        message: 'Robust accuracy under Linf ε = 0.1 falls from 72.8 % to 3.6 % (−69.2 points, allowed 1.0).',
        row: 'linf-0.1',
      },
    ])
  })

  test('a clean drop blocks, too', () => {
    expect(codes(judged(fates('R', 450, 'w', 50), fates('R', 500)))).toEqual(['clean-drop', 'robust-drop'])
  })

  test('exactly what is allowed is allowed', () => {
    expect(judged(fates('R', 495, 'f', 5), fates('R', 500), { decision: 'observed' }).outcome).toBe('pass')
    expect(judged(fates('R', 494, 'f', 6), fates('R', 500), { decision: 'observed' }).outcome).toBe('regression')
  })

  test('decision observed needs no proof, decision significant does', () => {
    // 8 of 500 against 1 point: z = 3 / √(500 · 0.01 · 0.99) = 1.35.
    const [candidate, baseline] = [fates('R', 492, 'f', 8), fates('R', 500)]
    expect(judged(candidate, baseline, { decision: 'observed' }).outcome).toBe('regression')
    expect(judged(candidate, baseline).outcome).toBe('inconclusive')
  })

  test('Holm’s correction counts: the same drop is proven beside one test, not beside three', () => {
    // 9 of 500 against 1 point: z = 4 / √4.95 = 1.798, p = 0.0361; with clean accuracy (p near 1) twice that is 0.072.
    expect(judged(fates('R', 491, 'f', 9), fates('R', 500)).outcome).toBe('inconclusive')
    expect(judged(fates('R', 491, 'f', 9), fates('R', 500), { significance: 0.0725 }).outcome).toBe('regression')
    expect(
      judged([fates('R', 491, 'f', 9), fates('R', 500)], [fates('R', 500), fates('R', 500)], { significance: 0.0725 })
        .outcome,
    ).toBe('inconclusive')
  })

  test('an absolute limit holds even on first adoption', () => {
    const verdict = judged(fates('R', 49, 'f', 51), undefined, { minRobustAccuracy: 0.5 })
    expect(verdict).toMatchObject({ outcome: 'regression', fails: true, baseline: 'none' })
    expect(codes(verdict)).toEqual(['min-robust-accuracy', 'no-baseline'])
    expect(judged(fates('R', 50, 'f', 50), undefined, { minRobustAccuracy: 0.5 }).outcome).toBe('pass')
    expect(codes(judged(fates('R', 89, 'w', 11), undefined, { minCleanAccuracy: 0.9 }))).toContain('min-clean-accuracy')
  })

  test('the limit holds for every threat', () => {
    const verdict = judged([fates('R', 90, 'f', 10), fates('R', 40, 'f', 60)], undefined, { minRobustAccuracy: 0.5 })
    expect(verdict.reasons[0].message).toBe(
      'Robust accuracy under Linf ε = 8/255 is 40.0 %, under the required 50.0 %.',
    )
  })
})

describe('inconclusive', () => {
  test('an unproven drop says how many images would tell', () => {
    const verdict = judged(fates('R', 492, 'f', 8), fates('R', 500))
    expect(verdict).toMatchObject({ outcome: 'inconclusive', fails: false })
    // (z_0.975 √(δ₀(1 − δ₀)) + z_0.8 √(δ₁(1 − δ₁)))² / (δ₁ − δ₀)² with δ₀ 0.01, δ₁ 0.016 and level 0.05 / 2 for two decisive rows:
    // (1.959964 · 0.0994987 + 0.841621 · 0.1254751)² / 0.006² = 50.1027² = 2,510.3, rounded up.
    expect(verdict.reasons[0]).toEqual({
      code: 'robust-drop-unproven',
      message:
        'Robust accuracy under Linf ε = 0.1 falls from 100.0 % to 98.4 % (−1.6 points, allowed 1.0), but 500 images cannot tell that from chance; about 2,511 images would tell.',
      row: 'linf-0.1',
    })
  })

  test.each(['candidate', 'baseline'] as const)('masked gradients of the %s make its numbers unreliable', (role) => {
    const text = fates('R', 100)
    const candidate = handmadeResults(text, role === 'candidate' ? { flags: MASKED } : {})
    const baseline = handmadeBaseline(text, role === 'baseline' ? { flags: MASKED } : {})
    const { verdict } = compare(candidate, baseline, POLICY)
    expect(verdict.outcome).toBe('inconclusive')
    expect(verdict.reasons[0].message).toContain(`The ${role}’s gradients are masked or missing`)
  })

  test('masked gradients do not hide a proven regression', () => {
    const candidate = handmadeResults(fates('f', 100), { flags: MASKED })
    expect(compare(candidate, handmadeBaseline(fates('R', 100)), POLICY).verdict.outcome).toBe('regression')
  })
})

describe('clean budget', () => {
  // Clean falls by 2 points (10 of 500, none gained); robust rises from 200 to 300, or stays.
  const baseline = fates('R', 200, 'p', 300)
  test('pays for a significant rise of robust accuracy', () => {
    const verdict = judged(fates('R', 300, 'p', 190, 'w', 10), baseline, { decision: 'observed' })
    expect(verdict.outcome).toBe('pass')
    expect(codes(verdict)).toEqual(['within-limits', 'clean-budget'])
  })

  test('pays for nothing when robust accuracy stays', () => {
    expect(judged(fates('R', 200, 'p', 290, 'w', 10), baseline, { decision: 'observed' }).outcome).toBe('regression')
  })

  test('does not pay when one threat rises and another falls', () => {
    const verdict = judged(
      [fates('R', 300, 'p', 190, 'w', 10), fates('R', 199, 'p', 291, 'w', 10)],
      [baseline, baseline],
      { decision: 'observed' },
    )
    expect(codes(verdict)).toContain('clean-drop')
  })

  test('ends where it ends', () => {
    const verdict = judged(fates('R', 300, 'p', 184, 'w', 16), baseline, { decision: 'observed' })
    expect(verdict.reasons[0]).toMatchObject({ code: 'clean-drop' })
    expect(verdict.reasons[0].message).toContain('allowed 3.0')
  })
})

describe('what the job does', () => {
  const [worse, same] = [fates('f', 100), fates('R', 100)]
  const unproven = fates('R', 98, 'f', 2)
  test.each([
    ['regression', worse, true],
    ['inconclusive', worse, true],
    ['never', worse, false],
    ['regression', unproven, false],
    ['inconclusive', unproven, true],
    ['never', unproven, false],
    ['inconclusive', same, false],
  ] as const)('fail-on %s', (failOn, candidate, fails) => {
    expect(judged(candidate, same, { failOn }).fails).toBe(fails)
  })
})

describe('without a baseline', () => {
  test('nothing fails but limits, and the reason says why there is none', () => {
    const none = judged(fates('f', 10), undefined)
    expect(none).toMatchObject({ outcome: 'pass', fails: false, baseline: 'none' })
    const missing = judged(fates('f', 10), undefined, {}, { absence: { state: 'missing' } })
    expect(missing).toMatchObject({ outcome: 'pass', baseline: 'missing' })
    expect([none, missing].map(({ reasons }) => reasons[0].code)).toEqual(['no-baseline', 'no-baseline'])
  })
})

describe('the same model', () => {
  test('says so, and a mask it always had is no news', () => {
    const same = handmadeResults(fates('R', 50, 'f', 50), { flags: MASKED })
    const { verdict } = compare(same, same, POLICY)
    expect(verdict).toMatchObject({ outcome: 'pass', fails: false })
    expect(codes(verdict)).toEqual(['within-limits', 'unchanged'])
  })

  test('is another one with other preprocessing', () => {
    const [one, other] = [0.1, 0.2].map((mean) => handmadeResults('RR', { preprocessing: { mean: [mean] } }))
    expect(codes(compare(one, other, POLICY).verdict)).not.toContain('unchanged')
  })

  test('another machine is named, because single images may differ for it', () => {
    const text = fates('R', 10)
    const tool = { version: '0.1.0', engine: 'onnxruntime 1.30.0', cpu: 'Another CPU', batch: 64 }
    const { verdict } = compare(handmadeResults(text), handmadeBaseline(text, { tool }), POLICY)
    expect(verdict.reasons.at(-1)).toMatchObject({
      code: 'different-engine',
      message: expect.stringContaining('(cpu)'),
    })
  })
})
